# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/whole.sh - a root with all programs of the host.

# The directories of modules, helpers and data that programs look for by path.
library_directories='apache2 blas dovecot engines-3 exim4 file gconv git-core lapack locale openblas-pthread openssh ossl-modules
  perl perl-base perl5 postfix sasl2 security sendmail sm.bin systemd terminfo utempter'
shared_directories='adduser awk ca-certificates misc perl perl5 sendmail tabset terminfo vim zoneinfo'

# The files of /etc that a whole root has besides those of every root. They say nothing
# about the host, its users or its passwords. All others stay on the host.
etc_files='bindresvport.blacklist debian_version default/locale ethertypes gai.conf
  inputrc libaudit.conf locale.alias magic magic.mime mailcap mailcap.order mime.types nanorc netconfig os-release
  pam.conf rpc screenrc securetty skel/.bash_logout skel/.bashrc skel/.profile ssl/certs/ca-certificates.crt
  ssl/openssl.cnf timezone vim/vimrc vim/vimrc.tiny xattr.conf'

make_host() {
  local directory top
  for directory in bin sbin usr/bin usr/sbin; do
    case $merged in
    *" $directory "*) continue ;;
    esac
    step "$directory"
    copy_tree "/$directory"
  done
  for top in lib lib32 lib64 libx32; do
    [ ! -d "/usr/$top" ] || make_libraries "usr/$top"
    case $merged in
    *" $top "*) ;;
    *) [ ! -d "/$top" ] || make_libraries "$top" ;;
    esac
  done
  [ ! -d /usr/libexec/sendmail ] || {
    step usr/libexec/sendmail
    copy_tree /usr/libexec/sendmail
  }
  for directory in $shared_directories; do
    copy_present "usr/share/$directory"
  done
  copy_host_etc
  make_host_places
  write_cache
}

# make_libraries DIRECTORY: copies the libraries in a directory, and in those below it that
# are named after an architecture.
make_libraries() {
  local shelf name
  for shelf in "/$1" "/$1"/*-linux-*; do
    if [ ! -d "$shelf" ] || [ -L "$shelf" ]; then
      continue
    fi
    set -- "$shelf"/*.so*
    if [ -e "$1" ] || [ -L "$1" ]; then
      step "${shelf#/}/*.so*"
      libraries_of "$shelf" "$@"
    fi
    for name in $library_directories; do
      copy_present "${shelf#/}/$name"
    done
  done
}

# libraries_of DIRECTORY FILE...: copies the files, but not the directories among them.
libraries_of() {
  local source="$1" file
  shift
  for file in "$@"; do
    shift
    [ -d "$file" ] || set -- "$@" "$file"
  done
  [ $# -eq 0 ] || copy_tree "$source" "$@"
}

# copy_present PATH: copies a directory of the host if it exists.
copy_present() {
  if [ -d "/$1" ] && [ -z "$(ls -A -- "$root/$1" 2>/dev/null)" ]; then
    step "$1"
    copy_tree "/$1"
  fi
}

# copy_host_etc: copies the files of /etc that a whole root has.
copy_host_etc() {
  local file kind services=''
  step etc
  # shellcheck disable=SC2086 # a list of names
  copy_plain_etc $etc_files
  for file in /etc/pam.d/*; do
    case $file in
    *[!A-Za-z0-9./_+-]*) ;;
    *) services="$services ${file##*/}" ;;
    esac
  done
  copy_pam_settings
  list_pam "$services" | {
    set --
    while read -r kind file; do
      [ "$kind" = module ] || set -- "$@" "$file"
    done
    copy_pam_files "$@"
  }
  [ ! -d /etc/terminfo ] || copy_tree /etc/terminfo
  copy_links /etc/alternatives/*
  copy_authorities
}

# copy_links FILE...: copies the links among the files, which are in one directory.
copy_links() {
  local file
  for file in "$@"; do
    shift
    [ ! -L "$file" ] || set -- "$@" "$file"
  done
  [ $# -eq 0 ] || copy_all "${1%/*}" "$@"
}

# copy_authorities: copies the links by which OpenSSL finds the certificates of the
# authorities. Other files in that directory belong to the host and its customers.
copy_authorities() {
  local name
  # An odd name does no harm here, because copy_links checks each file again.
  # shellcheck disable=SC2012
  ls -l /etc/ssl/certs 2>/dev/null | awk '
    $(NF - 1) != "->" || $NF ~ /\.\./ { next }
    $NF ~ /^\/usr\/share\/ca-certificates\// { leads[$(NF - 2)]; print $(NF - 2) }
    $NF !~ /\// { target[$(NF - 2)] = $NF }
    END { for (name in target) if (target[name] in leads) print name }' | {
    set --
    while IFS= read -r name; do
      set -- "$@" "/etc/ssl/certs/$name"
    done
    copy_links "$@"
  }
}
