#!/bin/sh
# Stops the idle profile, once no request is left on it.
set -eu
cd "$(dirname "$0")/.."
bluegreen stop hello
