# shellcheck shell=sh
# Debian packages for scripts/demo and tests/run, which source this file.

say() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
  say "$@"
  exit 1
}

# missing_packages PACKAGE...: prints those that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    case $(dpkg-query -W -f '${db:Status-Status}' -- "$package" 2>/dev/null) in
      installed) ;;
      *) printf '%s ' "$package" ;;
    esac
  done
}

# update_lists: what is known of the mirrors, once in a run; sets lists_are_new.
update_lists() {
  if [ -z "${lists_are_new-}" ]; then
    apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null || die "apt-get update: failed"
    lists_are_new=yes
  fi
}

# need_packages PACKAGE...: installs what is missing, saying so first; without root it says what to install.
need_packages() {
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || die "apt-get: not found: install the equivalents of: $missing"
  [ "$(id -u)" -eq 0 ] || die "not root: first run: sudo apt-get install --no-install-recommends $missing"
  say "installs: $missing"
  update_lists
  # shellcheck disable=SC2086 # a list of names
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install \
    --no-install-recommends $missing >/dev/null || die "apt-get install: failed"
}

# not_unpacked DIRECTORY PACKAGE...: prints those that are not in DIRECTORY.
not_unpacked() {
  local directory="$1" package
  shift
  for package in "$@"; do
    [ -e "$directory/$package" ] || printf ' %s' "$package"
  done
}

# unpack_archives DIRECTORY: what is in its .download, each package's files in DIRECTORY/PACKAGE.
unpack_archives() {
  local directory="$1" archive package
  for archive in "$directory"/.download/*.deb; do
    package=$(dpkg-deb -f "$archive" Package)
    dpkg-deb -x "$archive" "$directory/.$package.part"
    mv -- "$directory/.$package.part" "$directory/$package"
  done
  rm -r -- "$directory/.download"
}

# unpack_packages DIRECTORY PACKAGE...: each package's files in DIRECTORY/PACKAGE. Nothing of it is installed or started,
# so that it cannot conflict with what the machine runs; only the libraries that it needs are installed.
unpack_packages() {
  local directory="$1" wanted libraries='' archive
  wanted=$(not_unpacked "$@")
  [ -n "$wanted" ] || return 0
  command -v apt-get >/dev/null || die "apt-get: not found: cannot fetch:$wanted"
  if [ "$(id -u)" -ne 0 ]; then
    say "not root: not fetched, and what needs them is skipped:$wanted"
    return 0
  fi
  say "unpacks in $directory:$wanted"
  update_lists
  mkdir -p -- "$directory/.download"
  # apt's own user cannot write there, which it only warns of.
  # shellcheck disable=SC2086 # a list of names
  (cd -- "$directory/.download" && apt-get -q -o APT::Sandbox::User=root download $wanted >/dev/null) ||
    die "apt-get download: failed:$wanted"
  for archive in "$directory"/.download/*.deb; do
    libraries="$libraries $(dpkg-deb -f "$archive" Pre-Depends Depends | tr ',' '\n' |
      sed -n 's/^\([A-Za-z-]*Depends:\)\{0,1\} *\(lib[^ |(:]*\).*/\2/p' | tr '\n' ' ')"
  done
  # shellcheck disable=SC2086 # a list of names
  need_packages $libraries
  unpack_archives "$directory"
}

# unpack_foreign_packages ARCHITECTURE DIRECTORY PACKAGE...: the same of another architecture, without libraries. apt
# keeps what it knows of that architecture beside them: the host does not learn of it, and root is not needed.
unpack_foreign_packages() {
  local architecture="$1" directory="$2" wanted
  shift
  wanted=$(not_unpacked "$@")
  [ -n "$wanted" ] || return 0
  command -v apt-get >/dev/null || die "apt-get: not found: cannot fetch:$wanted"
  say "unpacks in $directory:$wanted"
  mkdir -p -- "$directory/.download/apt"
  (
    cd -- "$directory/.download"
    set -- -q -o APT::Architecture="$architecture" -o APT::Architectures::="$architecture" -o Dir::State="$PWD/apt" \
      -o Dir::State::status=/dev/null -o Dir::Cache="$PWD/apt" -o Acquire::Languages=none -o APT::Sandbox::User=root
    # shellcheck disable=SC2086 # a list of names
    apt-get "$@" update >/dev/null && apt-get "$@" download $wanted >/dev/null
  ) || die "apt-get download: failed: $architecture:$wanted"
  unpack_archives "$directory"
}

# fetch_packages DIRECTORY PACKAGE...: the archive of each package, and of what it needs and the machine lacks, in
# DIRECTORY/PACKAGE. Nothing is installed.
fetch_packages() {
  local directory="$1" package
  shift
  for package in "$@"; do
    [ ! -e "$directory/$package" ] || continue
    command -v apt-get >/dev/null || die "apt-get: not found: cannot fetch: $package"
    if [ "$(id -u)" -ne 0 ]; then
      say "not root: not fetched, and what needs it is skipped: $package"
      continue
    fi
    say "fetches in $directory: $package"
    update_lists
    rm -rf -- "$directory/.$package.part"
    mkdir -p -- "$directory/.$package.part/partial"
    apt-get -q -y -o APT::Sandbox::User=root -o DPkg::Lock::Timeout=300 \
      -o Dir::Cache::Archives="$PWD/$directory/.$package.part" install \
      --download-only --reinstall --no-install-recommends "$package" >/dev/null ||
      die "apt-get install --download-only: failed: $package"
    mv -- "$directory/.$package.part" "$directory/$package"
  done
}
