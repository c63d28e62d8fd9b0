#!/usr/bin/env bash
# Somebody else's parsers of what gilsim exports, into the folder given: Perfetto's schema, a validator of JSON schemas, a YAML parser,
# speedscope's schema. Does nothing where they are there already; safe to be run by several tests at once.
set -euo pipefail

tools=${1:?usage: setup.sh FOLDER}
perfetto=0.59.1
jsonschema=4.26.0
pyyaml=6.0.3
speedscope=1.25.0
ready="$tools/ready-$perfetto-$jsonschema-$pyyaml-$speedscope"

mkdir -p "$tools"
exec 9>"$tools/lock"
flock 9
[ -e "$ready" ] && exit 0

rm -rf "$tools/venv"
python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet "perfetto==$perfetto" "jsonschema==$jsonschema" "pyyaml==$pyyaml"

cd "$tools"
npm pack --silent "speedscope@$speedscope" >/dev/null
tar -xzf "speedscope-$speedscope.tgz" --strip-components=3 package/dist/release/file-format-schema.json
rm "speedscope-$speedscope.tgz"
mv file-format-schema.json speedscope-schema.json
touch "$ready"
