"""Usage: check.py SCHEMA GOOD… -- BAD…: somebody else's YAML reader and validator on models that are right and wrong."""

import json
import sys

import jsonschema
import yaml


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    border = sys.argv.index("--")
    wrong = []
    for path in sys.argv[2:border]:
        with open(path, encoding="utf-8") as file:
            errors = list(validator.iter_errors(yaml.safe_load(file)))
        wrong += [f"{path}: {error.message[:300]}" for error in errors]
    for path in sys.argv[border + 1 :]:
        with open(path, encoding="utf-8") as file:
            if validator.is_valid(yaml.safe_load(file)):
                wrong.append(f"{path} is valid, and should not be")
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
