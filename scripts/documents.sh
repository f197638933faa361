#!/usr/bin/env bash
# Man pages and shell completions of all programs, written by the programs themselves from the definitions of their flags.
#
#   make documents                                    into target/documents, from target/release
#   scripts/documents.sh --programs DIR --man DIR --bash DIR --zsh DIR --fish DIR
set -euo pipefail
. "$(dirname "$0")/common.sh"

programs=$target/release
declare -A out=([man]=$target/documents/man [bash]=$target/documents/bash [zsh]=$target/documents/zsh [fish]=$target/documents/fish)
while [ $# -gt 0 ]; do
  case $1 in
    --programs) programs=${2:?} ;;
    --man | --bash | --zsh | --fish) out[${1#--}]=${2:?} ;;
    *) die "unknown argument $1" ;;
  esac
  shift 2
done

mkdir -p "${out[@]}" "${out[man]}/man1" "${out[man]}/man8"
"$programs/imageserver" --print-man-page >"${out[man]}/man8/imageserver.8"
"$programs/imagetool" --print-man-page >"${out[man]}/man1/imagetool.1"
"$programs/imaginator" --print-man-page >"${out[man]}/man8/imaginator.8"
"$programs/builder-tool" --print-man-page >"${out[man]}/man1/builder-tool.1"
"$programs/imgapi" --print-man-page >"${out[man]}/man8/imgapi.8"
"$programs/imgapi-cli" print-man-pages "${out[man]}/man1"
"$programs/imagewright" print-man-pages "${out[man]}/man1"
completion() { # PROGRAM SHELL
  case $1 in
    imagewright | imgapi-cli) "$programs/$1" print-completion "$2" ;;
    *) "$programs/$1" --print-completion="$2" ;;
  esac
}
for program in imageserver imagetool imaginator builder-tool imgapi imgapi-cli imagewright; do
  completion "$program" bash >"${out[bash]}/$program"
  completion "$program" zsh >"${out[zsh]}/_$program"
  completion "$program" fish >"${out[fish]}/$program.fish"
done
