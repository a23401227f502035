# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/numbers.sh - the numbers of a domain's users.

# choose_numbers: sets numbers to "FIRST:LAST", the range for the domain's users, and writes
# the new record, where other runs see it. A domain that has a record keeps its numbers;
# another gets the last ones of UID_RANGE that are free on the host and in all domains.
# No file in a domain is read for this. It sets asked to its lines, sorted.
choose_numbers() {
  local directory file record="$VIRTUAL/.virtfs/$domain"
  if [ -f "$record" ] && numbers=$(grep '^numbers:[0-9]*:[0-9]*$' -- "$record"); then
    numbers=${numbers#numbers:}
  else
    set --
    for directory in "$VIRTUAL" ${LEADING:-}; do
      for file in "$directory"/.virtfs/* "$directory"/.virtfs.*/record; do
        [ ! -f "$file" ] || set -- "$@" "$file"
      done
    done
    for file in /etc/passwd /etc/group /etc/subuid /etc/subgid; do
      [ ! -f "$file" ] || set -- "$@" "$file"
    done
    numbers=$(free_numbers "$@") || failed 'the numbers of users'
    [ -n "$numbers" ] ||
      die "$domain: no $per_domain consecutive numbers are free for its users in UID_RANGE $first_number-$last_number"
  fi
  asked=$(printf '%s' "$asked" | sort -u)
  asked=$asked${asked:+"$newline"}
  find_version
  {
    printf 'numbers:%s\n' "$numbers"
    say_each line: "$pairs"
    say_making
    printf 'made:%s\n' "$today"
  } >"$work/record"
}

# free_numbers FILE...: prints the last range that no FILE uses. The files are records, and
# some of /etc. UID_RANGE is divided into places of the size that a domain gets, so that
# the last free place is the range.
free_numbers() {
  awk -F : -v first="$first_number" -v last="$last_number" -v size="$per_domain" '
    function take(from, to,   place) {
      if (from < first) from = first
      if (to > last) to = last
      for (place = int((from - first) / size); place <= (to - first) / size && from <= to; place++) taken[place]
    }
    FILENAME == "/etc/passwd" { take($3 + 0, $3 + 0); take($4 + 0, $4 + 0); next }
    FILENAME == "/etc/group" { take($3 + 0, $3 + 0); next }
    FILENAME ~ /^\/etc\/sub[ug]id$/ { take($2 + 0, $2 + $3 - 1); next }
    $1 == "numbers" { take($2 + 0, $3 + 0) }
    END {
      for (place = int((last - first + 1) / size) - 1; place >= 0; place--)
        if (!(place in taken)) {
          printf "%.0f:%.0f\n", first + place * size, first + place * size + size - 1
          break
        }
    }' "$@"
}
