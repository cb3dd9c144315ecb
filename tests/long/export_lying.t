#!/bin/sh
# SPDX-License-Identifier: MIT
# The receiver that lies, for 20 seeds and 10,000 items.
SEEDS=20 ITEMS=500 exec "$(dirname "$0")/../system/export_lying.t"
