#!/bin/sh
# SPDX-License-Identifier: MIT
# A vendor's commands towards its ERP and CRMs, and the installed scripts, under every fault at every point, as far as 25
# minutes go; what is left out is told.
EACH=1000000 SECONDS=1500 exec "$(dirname "$0")/../system/faults_vendor.t"
