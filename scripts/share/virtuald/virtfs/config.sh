# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/config.sh - lines in configurations of virtuald.

# check_pairs: sets copies to a new version of each config, with the lines for the new
# domain, and the config, each on a line.
check_pairs() {
  local address config
  copies=''
  while read -r address config; do
    [ -n "$address" ] || continue
    prepare_line "$address" "$config"
  done <<END
$pairs
END
}

# prepare_line ADDRESS CONFIG: adds a copy of the config, with the line in it, to copies. A
# second line for the same config is added to the same copy.
prepare_line() {
  local config copy
  config=$(readlink -f -- "$2") || die "$2: no such directory"
  case $copies in
  *"$newline$config$newline"*)
    copy=${copies%%"$newline$config$newline"*}
    copy=${copy##*"$newline"}
    ;;
  *) copy_config "$config" ;;
  esac
  check_address "$1" "$config" "$copy"
  insert_line "$1" "$config" "$copy"
}

# copy_config CONFIG: sets copy to a copy next to it, with its owner and mode, and adds that
# to copies. A config that does not exist counts as empty.
copy_config() {
  clear_copies "${1%/*}/.virtfs.${1##*/}."
  copy=$(mktemp -- "${1%/*}/.virtfs.${1##*/}.$$.XXXXXX") || failed "$1"
  copies=$copies$copy$newline$1$newline
  if [ -e "$1" ]; then
    cp -p -- "$1" "$copy" || failed "$1"
  else
    chmod 0644 -- "$copy" || failed "$1"
  fi
}

# clear_copies PREFIX: removes the copies that killed runs left: in their names, the pid of a
# process that has ended follows the prefix.
clear_copies() {
  local copy pid
  for copy in "$1"*; do
    pid=${copy#"$1"}
    pid=${pid%%.*}
    case $pid in
    '' | *[!0-9]*) ;;
    *) kill -0 "$pid" 2>/dev/null || rm -f -- "$copy" ;;
    esac
  done
}

# check_address ADDRESS CONFIG COPY: dies if the address is not valid, or already has a line
# in the copy. A default line matches every address, so it is left out here.
check_address() {
  local status=0 answer
  sed '/^[[:space:]]*default[[:space:]]/s/.*//' <"$3" >"$work/query"
  answer=$("$virtuald" -w -q "$1" "$work/query" 2>&1) || status=$?
  case $status in
  0) die "$2: already has $1, for ${answer##*"$newline"}" ;;
  1) ;;
  *) die "$2: $1: $(printf '%s\n' "$answer" | name_lines)" ;;
  esac
}

# name_lines: passes on virtuald's messages about the query, whose lines have the same
# numbers as those of the config.
name_lines() {
  local line
  while IFS= read -r line; do
    line=${line#virtuald: }
    case $line in
    *"$work/query:"*) line="${line%%"$work/query:"*}line ${line#*"$work/query:"}" ;;
    esac
    printf '%s\n' "$line"
  done
}

# insert_line ADDRESS CONFIG COPY: adds the line at the end, or before a default line,
# because lines after that are never reached.
insert_line() {
  # With -v, awk would interpret backslashes.
  line="$1 $place" awk '
    !done && $1 == "default" { print ENVIRON["line"]; done = 1 }
    { print }
    END { if (!done) print ENVIRON["line"] }' "$3" >"$work/config" || failed "$2"
  cat -- "$work/config" >"$3" || failed "$2"
}

# prepare_lines HOW: sets copies to new versions of the files in configs that name the domain,
# as lines_of_domain prints them with HOW.
prepare_lines() {
  local config copy
  copies=''
  while IFS= read -r config; do
    if [ -z "$config" ] || [ -z "$(lines_of_domain "$config")" ]; then
      continue
    fi
    need_trusted "$config"
    copy_config "$config"
    lines_of_domain "$config" "$1" >"$copy" || failed "$config"
  done <<END
$configs
END
}

# install_copies MESSAGE: replaces each configuration with its copy, says so, and sets copies
# to nothing.
install_copies() {
  local copy config
  while IFS= read -r copy && IFS= read -r config; do
    mv -f -- "$copy" "$config" || die "$config: not written; $place exists"
    # If nobody reads this any more, the other configurations get their lines all the same.
    say "$1 $config" || :
  done <<END
${copies%"$newline"}
END
  copies=''
}

remove_config_copies() {
  local copy
  while IFS= read -r copy && IFS= read -r _; do
    rm -f -- "$copy"
  done <<END
${copies%"$newline"}
END
}
