#!/bin/sh
# Starts the new release on the idle profile.
set -eu
cd "$(dirname "$0")/.."
bluegreen start hello
