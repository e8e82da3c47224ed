"""Stack files that use every key there is, as hypothesis draws them: their data, and what lies
beside them."""

from everykey.drawn import PASSED, StackFile, stack_files

__all__ = ["PASSED", "StackFile", "stack_files"]
