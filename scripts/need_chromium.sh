#!/usr/bin/env bash
# Chromium for the browser tests: Debian's own, with a font that knows Arabic. Installed when missing and we may.
set -euo pipefail
if [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "The browser tests need Chromium: sudo apt-get install chromium fonts-noto-core, or name one with CHROMIUM=/path/to/it" >&2
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-noto-core
