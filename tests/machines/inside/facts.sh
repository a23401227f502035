# shellcheck shell=sh
# Shared by the scripts in this directory. They run in the machine as its administrator; each checks facts, prints
# whether each one holds, and ends with end_facts. Each line of /root/domains is a domain of README's page: name, IPv4
# address, IPv6 address, bob's password.

failures=0

# fact WHAT COMMAND...: prints whether the command succeeds. It adds to failures.
fact() {
  local what="$1"
  shift
  if "$@" >/tmp/fact 2>&1 </dev/null; then
    printf 'ok      %s\n' "$what"
  else
    printf 'FAILED  %s\n' "$what"
    sed 's/^/        /' /tmp/fact
    failures=$((failures + 1))
  fi
}

end_facts() {
  exit "$((failures > 0))"
}

# soon SECONDS COMMAND...: waits until the command succeeds; false if it does not in time.
soon() {
  local end output
  end=$(($(date +%s) + $1))
  shift
  until output=$("$@" 2>&1); do
    [ "$(date +%s)" -lt "$end" ] || { printf '%s\n' "$output"; return 1; }
    sleep 0.2
  done
}

# fails_with STATUS COMMAND...: true if the command returns that status.
fails_with() {
  local wanted="$1" status=0
  shift
  "$@" || status=$?
  echo "status $status"
  [ "$status" -eq "$wanted" ]
}

visit() {
  timeout 30 curl --silent --show-error --max-time 20 "$@"
}

# says TEXT COMMAND...: true if the command prints the text.
says() {
  local text="$1" output
  shift
  output=$("$@") || { printf '%s\n' "$output"; return 1; }
  case $output in
    *"$text"*) ;;
    *) printf '%s\n' "$output"; return 1 ;;
  esac
}

# in_url ADDRESS
in_url() {
  case $1 in
    *:*) printf '[%s]\n' "$1" ;;
    *) printf '%s\n' "$1" ;;
  esac
}

# send ADDRESS RECIPIENT TEXT: sends a message as a stranger.
send() {
  printf 'Subject: test\n\n%s\n' "$3" >/tmp/message
  visit --crlf --mail-from "alice@${2#*@}" --mail-rcpt "$2" --upload-file /tmp/message "smtp://$(in_url "$1")"
}

# write DOMAIN RECIPIENT TEXT: sends a message as bob, logged in to the domain.
write() {
  printf 'Subject: test\n\n%s\n' "$3" | virtexec "$1" sendmail -f "bob@$1" "$2"
}

# read_mail ADDRESS PASSWORD: prints bob's last message.
read_mail() {
  local list
  list=$(visit --user "bob:$2" "pop3://$(in_url "$1")/" | tr -d '\r') || return
  list=${list##*
}
  visit --user "bob:$2" "pop3://$(in_url "$1")/${list%% *}"
}

# serve_names: serves the names of the domains with dnsmasq's sample.
serve_names() {
  {
    cat /usr/share/doc/virtuald/examples/dnsmasq.conf
    printf '%s\n' local=/slow.test/ host-record=slow.test,10.10.10.131 mx-host=slow.test,slow.test,10
  } >/etc/names.conf
  cat >/etc/systemd/system/names.service <<'END'
[Service]
ExecStart=/usr/sbin/dnsmasq --keep-in-foreground --user=root --pid-file= --conf-file=/etc/names.conf
[Install]
WantedBy=multi-user.target
END
  echo nameserver 127.0.0.1 >/etc/resolv.conf
  apt-get install -y --no-install-recommends dnsmasq-base
  systemctl enable --now names.service
}

# check_services: checks that FTP, SMTP and POP serve each domain's own bob at its addresses, and refuse the other bob's
# password.
check_services() {
  local name ipv4 ipv6 password address other
  other=$(sed -n 's/.* //; $p' /root/domains)
  while read -r name ipv4 ipv6 password; do
    echo "bob's at $name" >"/virtual/$name/home/b/bob/whose"
    for address in "$ipv4" "$ipv6"; do
      fact "$name: FTP at $address shows bob his file" \
        soon 10 says "bob's at $name" visit --user "bob:$password" "ftp://$(in_url "$address")/whose"
      fact "$name: FTP at $address refuses the other bob's password" \
        fails_with 67 visit --user "bob:$other" "ftp://$(in_url "$address")/whose"
      fact "$name: SMTP at $address takes a message for bob" \
        send "$address" "bob@$name" "to $name at $address by $$"
      fact "$name: POP at $address has the message" \
        soon 15 says "to $name at $address by $$" read_mail "$address" "$password"
      fact "$name: POP at $address refuses the other bob's password" \
        fails_with 67 visit --user "bob:$other" "pop3://$(in_url "$address")/"
    done
    other=$password
  done </root/domains
  check_mail_between
}

# check_mail_between: checks that mail from one domain to the other arrives at once, without a queue runner.
check_mail_between() {
  local first second ipv4 password
  { read -r first _ && read -r second ipv4 _ password; } </root/domains
  fact "$first: bob writes to bob at $second" write "$first" "bob@$second" "from $first by $$"
  fact "$second: has it within 15 seconds" soon 15 says "from $first by $$" read_mail "$ipv4" "$password"
}

# make_slow_domain: makes a third domain, whose mailer greets after four seconds and writes messages to /mail.
make_slow_domain() {
  ip address replace 10.10.10.131/24 dev eth0
  virtfs -q -p sh -p sleep -a 10.10.10.131 -f /virtual/conf.mail slow.test
  cat >/virtual/slow.test/usr/sbin/sendmail <<'END'
#!/bin/sh
sleep 4
printf '220 slow.test ESMTP\r\n'
while read -r line; do
  case $line in
    DATA*)
      printf '354 go on\r\n'
      while read -r line; do
        case $line in
          .?) break ;;
        esac
        printf '%s\n' "$line" >>/mail
      done
      printf '250 taken\r\n'
      ;;
    QUIT*) printf '221 bye\r\n'; exit ;;
    *) printf '250 fine\r\n' ;;
  esac
done
END
  chmod 0755 /virtual/slow.test/usr/sbin/sendmail
  : >/virtual/slow.test/mail
}

# forward_mail DOMAIN ADDRESS: forwards bob's mail.
forward_mail() {
  local home="/virtual/$1/home/b/bob"
  echo "$2" >"$home/.forward"
  chown --reference="$home" "$home/.forward"
}

# remove_slow_domain: removes it, because sendmail.init would take its mailer for a real one.
remove_slow_domain() {
  rm -f /virtual/*/home/b/bob/.forward
  soon 10 virtfs -q -r slow.test
}

# check_slow_delivery: checks that a message for a slow mailer is delivered after the client has disconnected.
check_slow_delivery() {
  local name ipv4
  read -r name ipv4 _ </root/domains
  fact 'a domain with a slow mailer is made' make_slow_domain
  fact "$name: bob's mail is forwarded to it" forward_mail "$name" bob@slow.test
  fact "$name: takes a message for bob" send "$ipv4" "bob@$name" "slowly by $$"
  fact 'the client did not have to wait' test ! -s /virtual/slow.test/mail
  fact 'the slow mailer gets it after the client has disconnected' soon 20 grep -q "slowly by $$" /virtual/slow.test/mail
  remove_slow_domain
}

# logged SINCE NAME: prints the program's lines in the host's log since then, which is the time and the size that
# log_position printed. The log is the journal, or syslogd's file if syslogd came with inetutils-ftpd (Debian 12).
logged() {
  local since="$1"
  if [ -f /var/log/syslog ]; then
    tail -c "+${since#* }" /var/log/syslog | grep " $2\["
  else
    journalctl --no-pager --quiet --since "@${since% *}" --identifier "$2"
  fi
}

log_position() {
  printf '%s %s\n' "$(date +%s)" "$(($(stat -c %s /var/log/syslog 2>/dev/null || echo 0) + 1))"
}

# check_refusal: checks that a refusal by virtuald is where an administrator looks for it.
check_refusal() {
  local since
  since=$(log_position)
  visit ftp://10.10.10.157/ >/dev/null 2>&1 || :
  fact "the host's log has a refusal, under the name of virtuald" soon 10 says 10.10.10.157 logged "$since" virtuald
}

# keep_logger: leaves /dev/log to the syslogd that comes with inetutils-ftpd on Debian 12, as syslog.init advises.
keep_logger() {
  ! systemctl --quiet is-active inetutils-syslogd || grep -q '^DEV_LOG=no' /etc/default/virtuald ||
    echo 'DEV_LOG=no' >>/etc/default/virtuald
}
