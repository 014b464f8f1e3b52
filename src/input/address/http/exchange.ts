/** What is asked of a server, and how its response is taken. */

/** What is asked for. */
export interface Request {
  url: URL;
  /** What is sent instead of the URL's path and query: in a URL a part that is `.` or `..` is a step, and in a key it is a name. */
  path?: string;
  headers: Readonly<Record<string, string>>;
}

/** How a response begins. */
export interface Head {
  status: number;
  /** @param name in lower case; where there are several, the first */
  header(name: string): string | undefined;
}

/** Holds up the body of a response. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** Takes the body of a response. */
export interface Body {
  /** Takes the next bytes: they are lent until the call returns, unless they are part of the last {@link room}. May throw. */
  take(bytes: Buffer): void;
  /** Where the next bytes may be put, at least one: from the connection right to where they are wanted. */
  room?(): Buffer | undefined;
}

/** Says what is to be done with the body of a response. May throw. */
export type Judge = (head: Head, flow: Flow) => Body;
