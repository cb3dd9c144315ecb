#!/bin/sh
# SPDX-License-Identifier: MIT
# tidemark-probe and the plugins under every fault at every point, as far as 15 minutes go; what is left out is told.
EACH=1000000 SECONDS=900 exec "$(dirname "$0")/../system/faults_probe.t"
