# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/locale.sh - the locales in which the host's services run, for programs that ask the C library for them.

# The archive of all the host's locales may have hundreds of MiB. It is not copied if it is larger than this, in bytes.
largest_archive=8388608

# list_locales: if a program asks for a locale, prints the files and trees of the host's locales in the form of
# list_brought, and "locale NAME" for each locale that must be made. C and C.UTF-8 are in the C library.
list_locales() {
  local name
  case $called in
  *@setlocale*) ;;
  *) return 0 ;;
  esac
  sed -nE "s/^(LANG|LC_[A-Z]+)=[\"']?([^\"']*)[\"']?\$/\2/p" /etc/default/locale /etc/locale.conf 2>/dev/null |
    sort -u | while IFS= read -r name; do
    case $name in
    '' | C | POSIX | C.UTF-8 | C.utf8 | *[!A-Za-z0-9_.@-]* | .*) ;;
    *) list_locale "$name" "$(normal_name "$name")" ;;
    esac
  done
}

# list_locale NAME OTHER: the same for one locale, which the C library looks for under these names.
list_locale() {
  local name directory=/usr/lib/locale
  case $(charset_of "$1") in
  UTF-8 | '') ;;
  *) printf 'tree %s\n' /usr/lib/*-linux-*/gconv ;;
  esac
  for name in "$1" "$2"; do
    if [ -d "$directory/$name" ]; then
      printf 'tree %s\n' "$directory/$name"
      return
    fi
  done
  if localedef --list-archive 2>/dev/null | "$grep" -qxF -e "$1" -e "$2"; then
    if [ "$(stat -Lc %s -- "$directory/locale-archive")" -le "$largest_archive" ]; then
      printf 'file %s\n' "$directory/locale-archive"
    else
      printf 'locale %s\n' "$1"
    fi
  fi
}

# charset_of LOCALE: prints the character set of a locale of the host.
charset_of() {
  LC_ALL=$1 locale charmap 2>/dev/null || :
}

# normal_name LOCALE: prints the other name of a locale, such as de_DE.utf8 for de_DE.UTF-8.
normal_name() {
  printf '%s\n' "$1" | awk '
    match($0, /[.][^@]*/) {
      set = tolower(substr($0, RSTART + 1, RLENGTH - 1)); gsub(/[^a-z0-9]/, "", set)
      if (set ~ /^[0-9]+$/) set = "iso" set
      $0 = substr($0, 1, RSTART) set substr($0, RSTART + RLENGTH)
    }
    { print }'
}

# make_locale LOCALE: makes a locale in the root from its source, because the host's archive is too large.
make_locale() {
  local source="${1%%[.@]*}" made
  case $1 in
  *@*) [ ! -f "/usr/share/i18n/locales/$source@${1##*@}" ] || source=$source@${1##*@} ;;
  esac
  made=$root/usr/lib/locale/$(normal_name "$1")
  mkdir -p -- "${made%/*}"
  # localedef looks for its sources in the working directory first.
  (cd / && localedef --no-archive -i "$source" -f "$(charset_of "$1")" "$made") 2>/dev/null ||
    warn "$1: this locale could not be made, and the host's archive of locales is too large for a domain"
  # With the current time, no domain would ever be up to date.
  [ ! -d "$made" ] || find "$made" -type f -exec touch -r /usr/lib/locale/locale-archive -- {} +
}
