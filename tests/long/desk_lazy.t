#!/bin/sh
# SPDX-License-Identifier: MIT
# A thousand lazy connections against a desk with its own time for a request, 30 s.
REQUEST_S=30 exec "$(dirname "$0")/../system/desk_lazy.t"
