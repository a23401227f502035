# shellcheck shell=sh
# Debian packages for scripts/demo and tests/run, which source this file.

say() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
  say "$@"
  exit 1
}

# missing_packages PACKAGE...: prints the packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    case $(dpkg-query -W -f '${db:Status-Status}' -- "$package" 2>/dev/null) in
      installed) ;;
      *) printf '%s ' "$package" ;;
    esac
  done
}

# update_lists: updates apt's package lists, once in a run; sets lists_are_new.
update_lists() {
  if [ -z "${lists_are_new-}" ]; then
    apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null || die "apt-get update: failed"
    lists_are_new=yes
  fi
}

# need_packages PACKAGE...: installs the missing packages, after naming them; without root, dies with the command to
# type.
need_packages() {
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || die "apt-get: not found: install the equivalents of: $missing"
  [ "$(id -u)" -eq 0 ] || die "not root: first run: sudo apt-get install --no-install-recommends $missing"
  say "installing: $missing"
  update_lists
  # shellcheck disable=SC2086 # a list of names
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install \
    --no-install-recommends $missing >/dev/null || die "apt-get install: failed"
}

# not_unpacked DIRECTORY PACKAGE...: prints the packages that are not in DIRECTORY.
not_unpacked() {
  local directory="$1" package
  shift
  for package in "$@"; do
    [ -e "$directory/$package" ] || printf ' %s' "$package"
  done
}

# unpack_archives DIRECTORY: unpacks the packages in DIRECTORY/.download, each into DIRECTORY/PACKAGE.
unpack_archives() {
  local directory="$1" archive package
  for archive in "$directory"/.download/*.deb; do
    package=$(dpkg-deb -f "$archive" Package)
    dpkg-deb -x "$archive" "$directory/.$package.part"
    mv -- "$directory/.$package.part" "$directory/$package"
  done
  rm -r -- "$directory/.download"
}

# unpack_packages DIRECTORY PACKAGE...: downloads each package and unpacks it into DIRECTORY/PACKAGE. It is not
# installed or started, so it cannot conflict with what the machine runs; only the libraries that it needs are
# installed.
unpack_packages() {
  local directory="$1" wanted libraries='' archive
  wanted=$(not_unpacked "$@")
  [ -n "$wanted" ] || return 0
  command -v apt-get >/dev/null || die "apt-get: not found: cannot download:$wanted"
  if [ "$(id -u)" -ne 0 ]; then
    say "not root: not downloaded, and tests that need them are skipped:$wanted"
    return 0
  fi
  say "unpacking in $directory:$wanted"
  update_lists
  mkdir -p -- "$directory/.download"
  # apt's own user cannot write there; apt would print a warning.
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

# unpack_foreign_packages ARCHITECTURE DIRECTORY PACKAGE...: the same for another architecture, without libraries. apt
# keeps the package lists of that architecture in the same place, so the host is not changed, and root is not needed.
unpack_foreign_packages() {
  local architecture="$1" directory="$2" wanted
  shift
  wanted=$(not_unpacked "$@")
  [ -n "$wanted" ] || return 0
  command -v apt-get >/dev/null || die "apt-get: not found: cannot download:$wanted"
  say "unpacking in $directory:$wanted"
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

# fetch_packages DIRECTORY PACKAGE...: downloads the archive of each package, with the dependencies that the machine
# lacks, to DIRECTORY/PACKAGE. Nothing is installed.
fetch_packages() {
  local directory="$1" package
  shift
  for package in "$@"; do
    [ ! -e "$directory/$package" ] || continue
    command -v apt-get >/dev/null || die "apt-get: not found: cannot download: $package"
    if [ "$(id -u)" -ne 0 ]; then
      say "not root: not downloaded, and tests that need it are skipped: $package"
      continue
    fi
    say "downloading to $directory: $package"
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
