#!/bin/sh
# SPDX-License-Identifier: MIT
# tidemark-demo under every fault at every point, as far as 10 minutes go; what is left out is told.
EACH=1000000 SECONDS=600 exec "$(dirname "$0")/../system/faults_demo.t"
