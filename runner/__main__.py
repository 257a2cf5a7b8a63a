"""Turns errors into text and exit codes.

0 done, 1 the user's error or a failed run, 2 usage, 3 our bug, 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import sys

from runner.errors import Interrupted, RunnerError, SpecError


def main() -> None:
    """The console entry point."""
    result = code()
    gc.freeze()  # nobody needs the garbage of a process that ends
    if sys.modules.keys() & {"duckdb", "pyarrow", "torch"}:
        sys.exit(result)
    leave(result)


def leave(result: int) -> None:
    """End the process at once: freeing what imports made, object by object, took a sixth of `validate`."""
    import atexit

    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        pass  # whoever read has what they wanted
    os._exit(result)


def code() -> int:
    """Run the command line; the exit code."""
    gc.set_threshold(100_000, 20, 20)  # what imports make stays: looking through it took a tenth of `validate`
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some took as long as reading a spec
    from runner.cli import call

    try:
        return call(sys.argv[1:])
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else 1
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
            return ours(error)
        print(f"error: `{error.filename}`: {error.strerror}", file=sys.stderr)
    except Exception as error:
        return ours(error)
    return 1


def ours(error: Exception) -> int:
    """Anything else is our bug and keeps its traceback."""
    import traceback

    traceback.print_exception(error)
    print("\nThis is a fault of runner itself: please report it with the lines above.", file=sys.stderr)
    return 3


if __name__ == "__main__":
    main()
