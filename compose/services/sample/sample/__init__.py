"""One small service that plays any MusicShare service; its settings are in `config`."""
