/** One thing that must go well. */
export interface Case {
  name: string;
  /** @returns what was compared, in a few words @throws where it is not as it must be */
  run: () => Promise<string>;
}

/** Cases that stand on one another, in this order. */
export interface Cases {
  cases: readonly Case[];
  /** Ends everything that they have started. */
  close: () => Promise<void>;
}
