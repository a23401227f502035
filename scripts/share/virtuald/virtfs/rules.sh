# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/rules.sh - programs and files that programs start, load and read while they run, but that neither the loader
# nor dpkg knows of. Most of them are in a table.

# The table, which is also compiled into virtuald for -t.
rules=$here/../share/virtuald/needs
[ -r "$rules" ] || die "$rules: not found: install virtuald again"

# list_brought: prints what the rules bring for the programs and libraries in names, files, helpers and uses, and for
# the functions in called: a line "KIND WHAT" for each thing, as in the table. The host may lack some of them.
list_brought() {
  printf '%s\n' "$names$files$helpers" "$uses" "$called" | awk '
    # The pattern of a rule as a regular expression.
    function expression(pattern) {
      gsub(/[.+]/, "[&]", pattern); gsub(/[*]/, ".*", pattern)
      return "^" pattern "$"
    }
    NR == FNR { if ($0 ~ /^[^#]/) { who[++rules] = expression($1); kind[rules] = $2; what[rules] = $3 }; next }
    $0 != "" && !seen[$0]++ { path[++paths] = $0 }
    /\/libc[.]so[.]6$/ { library = $0; sub(/\/[^\/]*$/, "", library) }
    END {
      for (p = 1; p <= paths; p++) {
        name = path[p]; sub(/.*\//, "", name)
        for (r = 1; r <= rules; r++) {
          if (path[p] !~ who[r]) continue
          n = split(what[r], word, /[,|]/)
          for (i = 1; i <= n; i++) {
            gsub(/%lib/, library, word[i]); gsub(/%name/, name, word[i])
            if (word[i] !~ /%/ && !said[kind[r], word[i]]++) print kind[r], word[i]
          }
        }
      }
    }' "$rules" -
  list_exims
  list_queue
}

# list_called: prints @NAME for each function in the table, and for setlocale, if one of the files has its name. The C
# library and the C++ library contain the names anyway, and do not count.
list_called() {
  local names_of_functions
  names_of_functions=$(sed -n 's/^@\([^ ]*\).*/\1/p' "$rules" | sort -u)
  printf '%s' "$files" | "$grep" -vE '/(ld-|libc|libpthread|libstdc[+][+])[^/]*$' | tr '\n' '\0' |
    xargs -0 -r "$grep" -aohF -e setlocale -e "$names_of_functions" -- | sort -u | sed 's/^/@/'
}

# list_exims: if exim4 is in files, prints "program NAME" for each of a mailer's usual commands that leads to it. On the
# host, they may be another mailer's.
list_exims() {
  local name path
  for path in $files; do
    case $path in
    */exim4) ;;
    *) continue ;;
    esac
    for name in sendmail mailq newaliases; do
      name=$(find_program "$name" 2>/dev/null) || continue
      [ "$(readlink -f -- "$name")" != "$path" ] || printf 'program %s\n' "$name"
    done
  done
}

# list_queue: prints the directories of postfix as rules of the kind place, from postfix's own list. On the host, its
# installation and its start make them; in a domain nothing does.
list_queue() {
  case $uses in
  */libpostfix-global.so*) ;;
  *) return 0 ;;
  esac
  awk -F : '
    $2 == "d" && (sub(/^[$]queue_directory/, "/var/spool/postfix", $1) || sub(/^[$]data_directory/, "/var/lib/postfix", $1)) {
      print "place " $1 ":0" $5 ":" ($3 ~ /mail_owner/ ? "postfix" : "root") ":" ($4 ~ /setgid_group/ ? "postdrop" : "root")
    }' /etc/postfix/postfix-files 2>/dev/null || :
}

# bring_programs: adds the programs that rules bring to queue and follows it, until they bring no more.
bring_programs() {
  local before='' kind path uses
  while [ "$names" != "$before" ]; do
    before=$names
    uses=$(list_needed)
    while read -r kind path; do
      [ "$kind" != program ] || ! path=$(find_program "$path" 2>/dev/null) || queue=$queue$path$newline
    done <<END
$(list_brought)
END
    follow_queue
  done
}

# bring_all: copies the files and trees of the rules, if the host has them and everybody may read them; makes links,
# places and locales; and removes files that must not be there.
bring_all() {
  local brought kind path
  brought=$(
    {
      list_brought
      list_locales
    } | sort -u
  )
  set --
  while read -r kind path; do
    [ "$kind" = file ] || continue
    # It may be a pattern.
    for path in $path; do
      [ ! -f "$path" ] || set -- "$@" "$path"
    done
  done <<END
$brought
END
  [ $# -eq 0 ] || everybodys "$@" | copy_missing
  while read -r kind path; do
    case $kind in
    tree) bring_tree "$path" ;;
    link) make_link "${path%%:*}" "${path#*:}" ;;
    place) make_place_of_rule "$path" ;;
    locale) make_locale "$path" ;;
    never) rm -f -- "$root$path" ;;
    esac
  done <<END
$brought
END
}

# bring_tree DIRECTORY: copies a directory, unless it is one of the helpers, which are in the root already.
bring_tree() {
  case $newline$helpers in
  *"$newline$1$newline"*) ;;
  *) [ ! -d "$1" ] || copy_tree "$1" ;;
  esac
}

# make_link PATH TARGET: makes a link in the root, if its target is there and nothing is in its place.
make_link() {
  if [ -e "$root$2" ] && [ ! -e "$root$1" ] && [ ! -L "$root$1" ]; then
    mkdir -p -- "$root${1%/*}"
    ln -s -- "$2" "$root$1"
  fi
}

# make_place_of_rule PATH:MODE:OWNER:GROUP: makes a directory that a rule names.
make_place_of_rule() {
  local path="${1%%:*}" rest="${1#*:}"
  make_place "${rest%%:*}" "${rest#*:}" "$path"
}
