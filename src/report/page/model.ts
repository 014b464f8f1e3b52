/** What an archive holds, as a tree, and where in the archive it lies. */
import { NOT_WHOLE, type FileRow, type PageData, type TableRow } from '../page-data.js';

export type NodeKind = 'archive' | 'database' | 'table' | 'file';

export interface Node {
  kind: NodeKind;
  /** As it is called beside its likes, and in full. */
  name: string;
  fullName: string;
  bytes: number;
  chunks: number;
  /** The numbers of its files: they follow one another. */
  from: number;
  to: number;
  /** Files that are not whole. */
  damaged: number;
  /** The place of its database among all. */
  color: number;
  children: Node[];
}

/** The whole archive. The nodes of its files are in the order of their numbers. */
export interface Model {
  root: Node;
  files: Node[];
  data: PageData;
  /** The numbers of the parts of the archive in which a file lies. */
  cellsOf: (file: number) => readonly number[];
}

export function modelOf(data: PageData): Model {
  const files: Node[] = [];
  const databases = data.databases.map(([name, directory, tables], color) => {
    const from = files.length;
    const children = tables.map((row) => tableNode(row, name, directory, color, files));
    return parent('database', name, name, color, from, children);
  });
  const root = parent('archive', 'whole archive', 'the whole archive', 0, 0, databases);
  const cells = files.map((): number[] => []);
  data.cells.forEach((inCell, cell) => {
    for (const file of inCell) cells[file]!.push(cell);
  });
  return { root, files, data, cellsOf: (file) => cells[file]! };
}

function tableNode(
  [name, fileName, rows]: TableRow,
  database: string,
  directory: string,
  color: number,
  files: Node[],
): Node {
  const from = files.length;
  for (const row of rows) files.push(fileNode(row, fileName === '' ? name : fileName, directory, color, files.length));
  const fullName = directory === '' ? name : `${database}.${name}`;
  return parent('table', name, fullName, color, from, files.slice(from));
}

function fileNode(
  [written, bytes, chunks, state]: FileRow,
  tableFile: string,
  directory: string,
  color: number,
  number: number,
): Node {
  const name = (written.startsWith('~') ? tableFile : '') + written.slice(1);
  const fullName = directory === '' ? name : `${directory}/${name}`;
  const damaged = state === NOT_WHOLE ? 1 : 0;
  return { kind: 'file', name, fullName, bytes, chunks, from: number, to: number + 1, damaged, color, children: [] };
}

function parent(kind: NodeKind, name: string, fullName: string, color: number, from: number, children: Node[]): Node {
  const sum = (of: (child: Node) => number): number => children.reduce((total, child) => total + of(child), 0);
  const to = children.at(-1)?.to ?? from;
  return {
    ...{ kind, name, fullName, color, from, to, children },
    bytes: sum(({ bytes }) => bytes),
    chunks: sum(({ chunks }) => chunks),
    damaged: sum(({ damaged }) => damaged),
  };
}
