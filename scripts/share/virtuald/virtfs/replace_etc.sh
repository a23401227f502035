# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/replace_etc.sh - the same for etc, where a domain may have changed what was put there.

# replace_etc: puts the new files of etc in place where the domain has not changed
# them since, and names those that it has; with -n it says so only.
replace_etc() {
  local value before path now
  while read -r value before path; do
    now=$(state_of "$path")
    if [ "$now" = "$value" ]; then
      continue
    elif [ "${now:--}" = "$before" ] || [ "$path" = etc/ld.so.cache ]; then
      if "$dry_run"; then
        say "Would replace $place/$path"
        continue
      fi
      place_etc "$path" || warn "$place/$path: not replaced"
    else
      warn "$place/$path: changed in the domain: left as it is"
    fi
  done <"$work/etc"
}

# state_of PATH: prints the sum of a file of the domain, or what a link there leads
# to; nothing for what is not there. Nothing is waited for, and no link followed.
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

# place_etc PATH: moves a copy of the new file to its place.
place_etc() (
  local directory="${1%/*}"
  rm -rf -- "$work/stage"
  mkdir -p -- "$work/stage"
  cp -dp -- "$making/root/$1" "$work/stage/" || exit 1
  (hold "$directory") || make_directory "$directory" 0755 0:0
  move_in "$work/stage" "$directory" "${1##*/}"
)
