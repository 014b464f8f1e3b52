#!/bin/bash
# Fills a private MariaDB server with realistic InnoDB tables and leaves their .ibd files in a folder: what the
# benchmarks of compressed and encrypted backups pack (run.js --innodb FOLDER).
#
#   bench/innodb.sh [--one] [--megabytes N] FOLDER
#
# FOLDER must not exist yet. --one makes one big table instead of five. About 700 MB unless told otherwise.
# Needs mariadbd, mariadb-install-db and mariadb (Debian: mariadb-server). The server has its own data directory and
# socket in a temporary folder, no network, and is gone at the end; a server that is already running is not touched.
set -euo pipefail

layout=five
megabytes=700
folder=
while [ $# -gt 0 ]; do
  case $1 in
    --one) layout=one ;;
    --megabytes) megabytes=$2; shift ;;
    -*) echo "usage: $0 [--one] [--megabytes N] FOLDER" >&2; exit 2 ;;
    *) folder=$1 ;;
  esac
  shift
done
[ -n "$folder" ] || { echo "usage: $0 [--one] [--megabytes N] FOLDER" >&2; exit 2; }
[ ! -e "$folder" ] || { echo "$folder exists already" >&2; exit 1; }
PATH=$PATH:/usr/sbin
for program in mariadbd mariadb-install-db mariadb; do
  command -v $program >/dev/null || { echo "$program is missing: apt-get install mariadb-server" >&2; exit 1; }
done

work=$(mktemp -d)
server=
cleanup() {
  if [ -n "$server" ]; then kill -KILL "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# mariadbd refuses to run as root unless told to; anyone else runs it as themselves.
as_user=()
[ "$(id -u)" != 0 ] || as_user=(--user=root)

mariadb-install-db --no-defaults "${as_user[@]}" --datadir="$work/data" --skip-test-db \
  --auth-root-authentication-method=normal >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

# Nothing here has to survive a crash, so nothing waits for the disk.
mariadbd --no-defaults "${as_user[@]}" --datadir="$work/data" --socket="$work/socket" --pid-file="$work/pid" \
  --skip-networking --skip-log-bin --character-set-server=utf8mb4 --innodb-file-per-table=1 --innodb-buffer-pool-size=1G \
  --innodb-log-file-size=512M --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 \
  --tmpdir="$work" >"$work/log" 2>&1 &
server=$!

sql() { mariadb --no-defaults --default-character-set=utf8mb4 --socket="$work/socket" --user=root "$@"; }
for ((tenths = 0; ; tenths++)); do
  if sql -e 'SELECT 1' >"$work/ping" 2>&1; then break; fi
  if [ $tenths -ge 600 ] || ! kill -0 "$server" 2>/dev/null; then cat "$work/log" "$work/ping" >&2; exit 1; fi
  sleep 0.1
done

# Prose to draw on: 4,096 sentences of 14 words. Everything comes from CRC32 and MD5 of the row's number, so the
# content is the same in every run.
words="'the','and','order','customer','delivery','late','please','invoice','number','was','not','received','we',
'will','refund','your','payment','within','days','address','changed','contact','support','about','item','damaged',
'replacement','shipped','from','warehouse','with','tracking','thank','you','for','waiting','account','password',
'reset','requested','by','user','subscription','renewed','until','price','discount','applied','because','of','season'"
sentence=$(for i in {1..14}; do printf "ELT(1 + CRC32(CONCAT(seq, '-$i')) %% 51, %s)," "$words"; done)

sql <<SQL
CREATE DATABASE shop;
CREATE DATABASE prose;
USE prose;
CREATE TABLE sentences (id INT PRIMARY KEY, text VARCHAR(300)) ENGINE=MEMORY
  AS SELECT seq AS id, CONCAT_WS(' ', ${sentence%,}) AS text FROM seq_0_to_4095;
SQL

# Usage: fill TABLE ROWS COLUMNS EXPRESSIONS, the expressions over seq (the row's number), s1 and s2 (sentences).
fill() {
  sql shop <<SQL
SET unique_checks = 0, foreign_key_checks = 0;
CREATE TABLE $1 ($3) ENGINE=InnoDB;
INSERT INTO $1 SELECT $4
  FROM seq_1_to_$2 AS n
  JOIN prose.sentences AS s1 ON s1.id = CRC32(seq) % 4096
  JOIN prose.sentences AS s2 ON s2.id = CRC32(seq + 0.5) % 4096;
SQL
}

# Rows for every megabyte of the total, found by trying.
fill_orders() {
  fill orders $(($1 * megabytes)) \
    "id BIGINT UNSIGNED PRIMARY KEY, customer INT UNSIGNED NOT NULL, status ENUM('new','paid','sent','done','lost') NOT NULL,
     created DATETIME NOT NULL, total DECIMAL(10,2) NOT NULL, token CHAR(32) NOT NULL, remark VARCHAR(255), KEY (customer), KEY (created)" \
    "seq, CRC32(seq) % 200000, 1 + CRC32(seq * 3) % 5, '2019-01-01' + INTERVAL seq * 37 SECOND, (CRC32(seq * 7) % 1000000) / 100,
     MD5(seq), IF(seq % 3, NULL, s1.text)"
}
fill_customers() {
  fill customers $(($1 * megabytes)) \
    "id INT UNSIGNED PRIMARY KEY, email VARCHAR(100) NOT NULL, name VARCHAR(80) NOT NULL, born DATE, street VARCHAR(80),
     city VARCHAR(40), balance DOUBLE, profile JSON, UNIQUE KEY (email)" \
    "seq, CONCAT(CONV(CRC32(seq), 10, 36), '.', seq, '@example.com'), CONCAT(SUBSTRING_INDEX(s1.text, ' ', 1), ' ', SUBSTRING_INDEX(s2.text, ' ', -1)),
     '1940-01-01' + INTERVAL CRC32(seq) % 25000 DAY, CONCAT(SUBSTRING_INDEX(s2.text, ' ', 2), ' ', CRC32(seq) % 300), SUBSTRING_INDEX(s1.text, ' ', -1),
     CRC32(seq * 11) / 977, JSON_OBJECT('language', ELT(1 + seq % 4, 'en', 'de', 'fr', 'es'), 'visits', CRC32(seq) % 500, 'last', MD5(seq * 5))"
}
fill_articles() {
  fill articles $(($1 * megabytes)) \
    "id INT UNSIGNED PRIMARY KEY, title VARCHAR(120), body TEXT, changed TIMESTAMP" \
    "seq, LEFT(s1.text, 60), CONCAT_WS('. ', s1.text, s2.text, MD5(seq), REVERSE(s1.text), seq, LEFT(s2.text, 40), s1.text), '2020-01-01' + INTERVAL seq MINUTE"
}
fill_events() {
  fill events $(($1 * megabytes)) \
    "id BIGINT UNSIGNED PRIMARY KEY, at DATETIME(3) NOT NULL, kind SMALLINT NOT NULL, user INT UNSIGNED, ip INT UNSIGNED, a INT, b INT, c FLOAT,
     KEY (user, at)" \
    "seq, '2023-01-01' + INTERVAL seq * 411 MICROSECOND, CRC32(seq) % 40, CRC32(seq * 13) % 500000, CRC32(seq * 17), seq % 97, CRC32(seq) % 10000, RAND(seq)"
}
fill_blobs() {
  fill blobs $(($1 * megabytes)) \
    "id INT UNSIGNED PRIMARY KEY, digest BINARY(20) NOT NULL, data VARBINARY(400) NOT NULL" \
    "seq, UNHEX(SHA1(seq)), UNHEX(CONCAT(SHA2(seq, 512), SHA2(-seq, 512), SHA2(seq + 0.25, 512), SHA2(seq + 0.5, 512)))"
}

if [ $layout = one ]; then
  fill_orders 6600
else
  fill_orders 1800 & orders=$!
  fill_customers 650
  fill_articles 320
  wait $orders
  fill_events 2500 & events=$!
  fill_blobs 380
  wait $events
fi

# A clean end: every page is in its file.
sql -e 'SET GLOBAL innodb_fast_shutdown = 0; SHUTDOWN'
wait "$server"
server=
mkdir -p "$folder/shop"
mv "$work"/data/shop/*.ibd "$folder/shop/"
ls -l "$folder/shop"
