#!/bin/sh
# Goes live only with a release that answers as itself. A failure here fails the deployment, and the
# live profile goes on serving.
set -eu
cd "$(dirname "$0")/.."
bluegreen health hello
bluegreen switch hello
