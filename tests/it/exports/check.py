"""Usage: check.py FORMAT FOLDER…: checks one export of each case, and says which are wrong."""

import importlib
import sys
import traceback

from truth import Truth


def main():
    form, folders = sys.argv[1], sys.argv[2:]
    checker = importlib.import_module(f"check_{form}")
    wrong = 0
    for folder in folders:
        try:
            checker.check(folder, Truth(folder))
        except Exception:
            wrong += 1
            print(f"--- {form} of {folder}\n{traceback.format_exc()}")
    print(f"{len(folders) - wrong} passed, {wrong} failed")
    sys.exit(1 if wrong else 0)


main()
