# shellcheck shell=sh disable=SC2154
# virtfs/lines.sh - the lines of a domain in configurations.
#
# It relies on the variables of read_record, and on VIRTUAL, given and names.

# names_of_domain: prints the paths by which a configuration may name the domain: its
# directory, and the links in the leading directory that lead to it. The leading directory
# may have been given by another path than its real one, VIRTUAL.
names_of_domain() {
  local entry
  {
    printf '%s\n' "$place"
    for entry in "${VIRTUAL%/}"/*; do
      if [ -L "$entry" ] && [ "$(readlink -f -- "$entry")" = "$place" ]; then
        printf '%s\n' "$entry"
      fi
    done
  } | while IFS= read -r entry; do
    printf '%s\n' "$entry"
    [ "$given" = "${VIRTUAL%/}" ] || printf '%s\n' "$given/${entry##*/}"
  done
}

# configs_of_domain: prints the configurations that may name the domain: those in its record,
# and those in the leading directory.
configs_of_domain() {
  local config
  {
    [ ! -f "$record" ] || sed -n 's/^line:[^ ]* //p' -- "$record"
    for config in "${VIRTUAL%/}"/conf*; do
      printf '%s\n' "$config"
    done
  } | while IFS= read -r config; do
    config=$(readlink -f -- "$config") || continue
    [ ! -f "$config" ] || printf '%s\n' "$config"
  done | sort -u
}

# lines_of_domain CONFIG [-v | NEW]: prints the domain's lines in that configuration; with -v,
# all other lines; with a new name, all lines, the domain's with the new name.
lines_of_domain() {
  awk -v names="$names" -v how="${2-}" '
    BEGIN {
      count = split(names, name, "\n")
      for (number = 1; number <= count; number++) is_name[name[number]]
    }
    {
      line = $0
      sub(/\r$/, "", line)
      fields = split(line, field, /[ \t]+/)
      first = field[1] == "" ? 2 : 1
      directory = field[first + 1]
      sub(/\/+$/, "", directory)
      is_its = field[first] !~ /^#/ && directory != "" && (directory in is_name)
      if (is_its && how != "" && how != "-v") {
        start = index($0, directory)
        after = substr($0, start + length(directory))
        sub(/[^\/]*$/, how, directory)
        print substr($0, 1, start - 1) directory after
      } else if (is_its ? how == "" : how != "") print
    }' "$1"
}
