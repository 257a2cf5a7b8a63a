"""Turns errors into text and exit codes.

0 done, 1 the user's error or a failed run, 2 usage, 3 our bug, 130 interrupted.
"""

from __future__ import annotations

import sys
import traceback

from runner.errors import Interrupted, RunnerError, SpecError


def main() -> None:
    """The console entry point."""
    sys.exit(code())


def code() -> int:
    """Run the command line; the exit code."""
    from runner.cli import app

    try:
        said = app(standalone_mode=False)
    except SpecError as error:
        from runner.spec.render import render

        print(render(error.diagnostics), file=sys.stderr)
        print(f"\n{error.message}", file=sys.stderr)
    except Interrupted as error:
        print(f"\n{error.message}\n  = help: {error.hint}", file=sys.stderr)
        return 130
    except RunnerError as error:
        print(f"error: {error.message}" + (f"\n  = help: {error.hint}" if error.hint else ""), file=sys.stderr)
    except KeyboardInterrupt:
        print("\ninterrupted; stages that were finished stay in the cache", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        if error.filename is None:
            return other(error)
        print(f"error: `{error.filename}`: {error.strerror}", file=sys.stderr)
    except Exception as error:
        return other(error)
    else:
        return said if isinstance(said, int) else 0
    return 1


def other(error: Exception) -> int:
    """Wrong usage as click says it; anything else is our bug and keeps its traceback."""
    kind = type(error)
    if hasattr(error, "exit_code") and hasattr(error, "show"):
        error.show()
        return int(error.exit_code)
    if kind.__name__ == "Exit":
        return int(getattr(error, "exit_code", 0))
    if kind.__name__ == "Abort":
        return 130
    traceback.print_exception(error)
    print("\nThis is a fault of runner itself: please report it with the lines above.", file=sys.stderr)
    return 3


if __name__ == "__main__":
    main()
