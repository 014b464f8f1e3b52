import type { Mariadb } from './mariadb.js';

/** What a server makes of every code point of the basic plane but NUL, surrogates left out, where it writes names of files. */
export function encodedLetters(server: Mariadb): Map<number, string> {
  const letter = `CONVERT(UNHEX(LPAD(HEX(seq), 4, '0')) USING ucs2)`;
  const query = `SELECT seq, CONVERT(CONVERT(${letter} USING filename) USING binary) FROM seq_1_to_65535
    WHERE seq NOT BETWEEN 0xd800 AND 0xdfff ORDER BY seq`;
  const lines = server.sql(query, 'mysql').split('\n').filter(Boolean);
  return new Map(lines.map((line) => line.split('\t')).map(([seq, encoded]) => [Number(seq), encoded!]));
}
