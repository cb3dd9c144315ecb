#!/bin/sh
# SPDX-License-Identifier: MIT
# The receiver that lies, for 20 seeds and 10,000 items; nine tenths of the rate are kept beside it, in
# the middle of 9 rounds.
SEEDS=20 ITEMS=500 ROUNDS=9 KEPT=0.9 exec "$(dirname "$0")/../system/export_lying.t"
