#!/bin/sh
# SPDX-License-Identifier: MIT
# Ten thousand read cycles leave the memory of the daemon flat.
CYCLES=10000 exec "${SOURCE:-.}/tests/system/collectd_memory.t"
