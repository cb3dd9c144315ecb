#!/bin/sh
# SPDX-License-Identifier: MIT
# Kills before every file and network call of queue and push and at 1,000 random moments; every error
# at every call.
EACH=100000 KILLS=1000 exec "$(dirname "$0")/../system/export_spool.t"
