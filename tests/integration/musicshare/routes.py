"""Where MusicShare's gateway leads: the same on every engine."""

from __future__ import annotations

ROUTES = [
    ("/api/users/auth/token", "userservice", "/auth/token"),
    ("/api/users/me", "userservice", "/me"),
    ("/api/users", "userservice", "/"),
    ("/api/music/tracks", "music-service", "/tracks"),
    ("/api/music/playlists", "music-service", "/playlists"),
    ("/api/social/posts", "social-service", "/posts"),
    ("/swagger-ui", "social-service", "/swagger-ui"),
    ("/swagger-ui/index.html", "social-service", "/swagger-ui/index.html"),
    ("/v3/api-docs", "social-service", "/v3/api-docs"),
    ("/v3/api-docs/swagger-config", "social-service", "/v3/api-docs/swagger-config"),
    ("/api/notifications/send", "notificationservice", "/send"),
    ("/ws", "notificationservice", "/ws"),
    ("/upload", "nextjs", "/upload"),
    ("/upload/_next/static/app.js", "nextjs", "/upload/_next/static/app.js"),
    ("/formulario-post", "formulario-post", "/"),
    ("/formulario-post/new", "formulario-post", "/new"),
    ("/", "frontend", "/"),
    ("/songs/1", "frontend", "/songs/1"),
    ("/api", "frontend", "/api"),
    ("/api/search", "frontend", "/api/search"),
    ("/v3", "frontend", "/v3"),
]
BALANCED = {
    "userservice": "/api/users",
    "music-service": "/api/music",
    "social-service": "/api/social",
    "notificationservice": "/api/notifications",
}
