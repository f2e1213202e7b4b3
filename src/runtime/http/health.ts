/** The health of a role, as served over HTTP. */
export interface Health {
  /** Can accept data. */
  readonly ready: boolean;
  /** Why not. */
  readonly reason?: string;
  /** Parts that are late; empty when nothing is late. */
  readonly late: readonly Late[];
}

export interface Late {
  /** `emitter file`, `/var/log/syslog` */
  readonly what: string;
  readonly ageSeconds: number;
}
