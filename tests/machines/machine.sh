# shellcheck shell=sh
# Makes, boots and halts bare Debian machines, for tests/machines/run, which sources scripts/dev/debian.sh first. An
# image is build/machines/NAME.tar. A machine is a directory, DIRECTORY; while it runs, DIRECTORY.pid beside it contains
# the pid of its unshare(1).

# mirror: prints the address of Debian's archive that this host's apt uses.
mirror() {
  # shellcheck disable=SC2016 # for apt-get to expand
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 -E '/debian/?$' ||
    echo http://deb.debian.org/debian
}

# make_image IMAGE SUITE PACKAGE... + PACKAGE...: makes IMAGE.tar, a bare Debian as its installer leaves it, unless it
# exists with the same packages. They are in apt's cache, so that a machine without a network can install those before
# the "+", or those after it.
make_image() {
  local image="$1" suite="$2" packages
  shift 2
  packages=$*
  [ "$(cat -- "$image.packages" 2>/dev/null)" != "$*" ] || return 0
  need_packages debian-archive-keyring mmdebstrap
  say "making $image.tar"
  rm -f -- "$image.packages"
  # shellcheck disable=SC2016 # for mmdebstrap to expand
  mmdebstrap --quiet --mode=root --variant=minbase --format=tar --include=init,dbus,ifupdown \
    --aptopt='Acquire::Check-Valid-Until "false"' --skip=cleanup/apt \
    --customize-hook="for packages in '${packages%%+*}' '${packages#*+}'; do
      chroot \"\$1\" apt-get -q -y --download-only --no-install-recommends install \$packages >/dev/null || exit
    done" \
    "$suite" "$image.tar.part" "$(mirror)" || die "mmdebstrap $suite: failed"
  mv -- "$image.tar.part" "$image.tar"
  printf '%s\n' "$*" >"$image.packages"
}

# unpack_image IMAGE DIRECTORY: makes a machine that has never been booted.
unpack_image() {
  rm -rf -- "$2"
  mkdir -p -- "$2"
  tar -x -f "$1.tar" -C "$2"
  echo box >"$2/etc/hostname"
  printf '127.0.0.1\tlocalhost\n127.0.1.1\tbox.localdomain\tbox\n' >"$2/etc/hosts"
  printf 'auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet static\n\taddress 10.10.10.157/24\n' \
    >"$2/etc/network/interfaces"
}

# boot_machine DIRECTORY: boots it, and waits until systemd has started everything.
boot_machine() {
  tests/machines/boot "$1" "${1##*/}.$$" >"$1.console" 2>&1 &
  echo "$!" >"$1.pid"
  wait_for 30 is_up "$1" || { cat -- "$1.console" >&2; die "$1: does not boot"; }
  enter_machine "$1" timeout 60 sh -c '
    until state=$(systemctl is-system-running); case $state in running | degraded) true ;; *) false ;; esac; do
      sleep 0.1
    done' || die "$1: does not come up in a minute"
}

is_up() {
  enter_machine "$1" test -S /run/systemd/private 2>/dev/null
}

# wait_for SECONDS COMMAND...: waits until the command succeeds; false if it does not in time.
wait_for() {
  local tries=$(($1 * 10))
  shift
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.1
  done
}

# enter_machine DIRECTORY COMMAND...: runs the command in a booted machine, as its root.
enter_machine() {
  local unshare children
  unshare=$(cat -- "$1.pid")
  shift
  children=$(cat -- "/proc/$unshare/task/$unshare/children") && [ -n "$children" ] || return 1
  # The pid of the only child, and a space.
  nsenter --target "${children%% *}" --all --wdns=/root env -i HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null
}

# halt_machine DIRECTORY: powers it off, or kills it after half a minute. False if it did not power off.
halt_machine() {
  local unshare status=0
  [ -f "$1.pid" ] || return 0
  unshare=$(cat -- "$1.pid")
  # SIGRTMIN+4: power off.
  enter_machine "$1" sh -c 'kill -38 1' && wait_for 30 has_ended "$unshare" || status=1
  kill -KILL "$unshare" 2>/dev/null || :
  wait_for 10 has_ended "$unshare" || die "process $unshare: does not end"
  rm -f -- "$1.pid"
  # Killed processes leave the group a moment later.
  wait_for 10 remove_group "${1##*/}.$$" 2>/dev/null || say "${1##*/}.$$: its control group cannot be removed"
  return "$status"
}

has_ended() {
  ! kill -0 "$1" 2>/dev/null
}

# remove_group NAME: removes a control group, with those that systemd made below it.
remove_group() {
  # shellcheck disable=SC2016 # for the inner shell to expand
  unshare --mount --propagation private sh -c '
    mount -t cgroup2 cgroup2 /mnt
    [ ! -d "/mnt/$1" ] || find "/mnt/$1" -depth -type d -exec rmdir {} +' sh "$1"
}
