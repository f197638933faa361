#!/usr/bin/env bash
# tree-listing.sh DIR: everything an image keeps of a tree, one line per path, for comparing two with diff.
#
# type, mode, owner, group; size, links, time, contents of files; target of symlinks; numbers of devices; which
# names are one file. Directories and symlinks carry no time in an image, sockets are not kept at all.
set -euo pipefail
export LC_ALL=C
cd "$1"
{
  find . -type f -printf '%p f %m %U:%G size %s links %n time %T@\n'
  find . -type d -printf '%p d %m %U:%G\n'
  find . -type l -printf '%p l %U:%G -> %l\n'
  find . \( -type b -o -type c -o -type p \) -printf '%p %y %m %U:%G time %T@ ' -exec stat --format='device %t:%T' {} \;
  # Every further name of a file names the first.
  find . -type f -links +1 -printf '%i %p\n' | sort -k 1,1n -k 2 |
    awk '{ path = substr($0, index($0, " ") + 1); if ($1 == inode) print path " is " first; else { inode = $1; first = path } }'
  find . -type f -size +0 -print0 | sort -z | xargs -0 --no-run-if-empty sha512sum --zero |
    tr '\n\0' ' \n' | awk '{ print substr($0, index($0, " ") + 2) " holds " $1 }'
} | sort
