#!/usr/bin/env bash
# Runs the commands of documents in a world of their own: mounts, processes and network are not those of the machine, db1 is a
# MariaDB server that can be reached by ssh, and each job has a fresh folder with the files that documents speak of.
#
# docs-world.sh make WORLD        makes the server's data, and the files
# docs-world.sh run WORLD JOB...  runs each job, a script for bash; says which failed
set -euo pipefail
export LC_ALL=C.UTF-8 NODE_NO_WARNINGS=1
what=$1 world=$2
shift 2
own=$(mktemp -d "$world/own.XXXXXX")
export PATH=$world/bin:$PATH WORLD_FOLDER=$own/cwd

mount -t tmpfs none /srv
mount -t tmpfs none /run/mysqld && chown mysql:mysql /run/mysqld
mount -t tmpfs none /var/lib/mysql && chown mysql:mysql /var/lib/mysql
mount --bind "$world/conf.d" /etc/mysql/conf.d
mkdir -p /run/sshd
ip link set lo up

stop_server() {
  systemctl stop mariadb
  find /var/lib/mysql -mindepth 1 -delete
}

start_server() {
  stop_server
  cp -a "$world/data/." /var/lib/mysql/
  systemctl start mariadb
}

if [ "$what" = make ]; then
  mariadb-install-db --user=mysql --skip-test-db >/dev/null 2>&1
  systemctl start mariadb
  mariadb <<'SQL'
CREATE DATABASE shop; CREATE DATABASE crm;
CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(200));
CREATE TABLE shop.items (id INT PRIMARY KEY, orders_id INT);
CREATE TABLE crm.people (id INT PRIMARY KEY) ENGINE=MyISAM;
USE shop;
INSERT INTO shop.orders SELECT seq, REPEAT('x', 100) FROM seq_1_to_1000;
INSERT INTO shop.items SELECT seq, seq FROM seq_1_to_1000;
SQL
  # Else the log tells of them as of tables that are made during the backup.
  systemctl stop mariadb && systemctl start mariadb
  cd "$world/files"
  mariadb-backup --backup --stream=xbstream >backup.xbstream 2>/dev/null
  systemctl stop mariadb
  cp -a /var/lib/mysql "$world/data"
  cp backup.xbstream full.xb
  printf secret >pass
  openssl enc -aes-256-cbc -pbkdf2 -pass file:pass -in backup.xbstream -out backup.xbstream.enc
  gzip <backup.xbstream >backup.xb.gz
  zstd -q <backup.xbstream >backup.xb.zst
  split --numeric-suffixes --number=3 backup.xbstream backup.xb.
  mkdir monday restored shop data && cp backup.xb.0? monday/
  tsxbstream tar backup.xbstream | zstd -q >backup.tar.zst
  cp backup.tar.zst old.tar.zst
  tsxbstream cat backup.xbstream shop/orders.ibd >shop/orders.ibd
  tsxbstream cat backup.xbstream ibdata1 >ibdata1
  for shard in 1/2 2/2; do tsxbstream verify --shard $shard backup.xbstream >result-${shard%/2}; done
  cp backup.xbstream damaged.xbstream
  offset=$(tsxbstream list -v backup.xbstream shop/orders.ibd | awk 'NR == 1 { print $3 }')
  printf '!!!' | dd of=damaged.xbstream bs=1 seek=$((offset + 5000)) conv=notrunc status=none
  exit 0
fi

cat >"$own/sshd_config" <<EOF
HostKey $world/host_key
AuthorizedKeysFile $world/user_key.pub
StrictModes no
UsePAM no
PermitRootLogin yes
SetEnv PATH=$PATH
ForceCommand cd $WORLD_FOLDER && eval "\$SSH_ORIGINAL_COMMAND"
EOF
export WORLD_SSHD=$own/sshd_config

status=0
run_job() {
  # Links, for the files are large; what commands write to are files of their own.
  rm -rf "$WORLD_FOLDER" && cp -al "$world/files" "$WORLD_FOLDER"
  cp --remove-destination "$world/files/backup.tar.zst" "$WORLD_FOLDER/"
  find /srv -mindepth 1 -delete
  mkdir -p /srv/data/shop && cp "$world/files/ibdata1" /srv/data/
  zstd -q "$world/files/shop/orders.ibd" -o /srv/data/shop/orders.ibd.zst
  cd "$WORLD_FOLDER"
  if timeout 300 bash -euo pipefail "$1" </dev/null >"$own/said" 2>&1; then return; fi
  status=1
  echo "FAILED: $(head -1 "$1")"
  tail -n +2 "$1" | head -40
  echo '-- said:'
  tail -30 "$own/said"
}

needs_server='maria|systemctl|xtrabackup --backup'
# First those without a server: their /var/lib/mysql is empty.
for job; do if ! grep -qE "$needs_server" "$job"; then run_job "$job" && find /var/lib/mysql -mindepth 1 -delete; fi; done
for job; do if grep -qE "$needs_server" "$job"; then start_server && run_job "$job"; fi; done
systemctl stop mariadb
exit $status
