# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/replace_etc.sh - replacing files in etc, except those that the domain has changed.

# replace_etc: replaces the files of etc that the domain has not changed since they were
# installed, and lists the changed ones. With -n it only prints what it would do. False if one
# could not be replaced.
replace_etc() {
  local value before path now fine=true
  while read -r value before path; do
    now=$(state_of "$path")
    if [ "$now" = "$value" ]; then
      continue
    elif [ "${now:--}" = "$before" ] || [ "$path" = etc/ld.so.cache ]; then
      if "$dry_run"; then
        say "Would replace $place/$path"
        continue
      fi
      place_etc "$path" || {
        warn "$place/$path: not replaced"
        fine=false
      }
    else
      warn "$place/$path: changed in the domain: kept"
    fi
  done <"$work/etc"
  "$fine"
}

# state_of PATH: prints the checksum of a file of the domain, or the target of a link, or
# nothing if it does not exist. It follows no link and does not wait for a FIFO.
state_of() (
  hold "${1%/*}" || return 0
  if [ -L "./${1##*/}" ]; then
    readlink -- "./${1##*/}"
  elif [ -f "./${1##*/}" ]; then
    "$dd" if="./${1##*/}" iflag=nofollow,nonblock bs=65536 count=64 2>/dev/null | sha256sum | cut -d ' ' -f 1
  elif [ -e "./${1##*/}" ]; then
    echo other
  fi
)

# place_etc PATH: replaces the file with a copy of the new one, and makes the directories that it is in if the domain
# lacks them.
place_etc() (
  local directory="${1%/*}" rest="${1%/*}/" path=''
  rm -rf -- "$work/stage"
  mkdir -p -- "$work/stage"
  cp -dp -- "$making/root/$1" "$work/stage/" || exit 1
  while [ -n "$rest" ]; do
    path=$path${path:+/}${rest%%/*}
    rest=${rest#*/}
    (hold "$path") || make_directory "$path" 0755 0:0
  done
  move_in "$work/stage" "$directory" "${1##*/}"
)
