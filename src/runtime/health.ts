/** How a half is doing, as its HTTP address tells it. */
export interface Health {
  /** Can take data. */
  readonly ready: boolean;
  /** Why not. */
  readonly reason?: string;
  /** What has waited longer than it should; empty when all is well. */
  readonly late: readonly Late[];
}

export interface Late {
  /** `emitter file`, `/var/log/syslog` */
  readonly what: string;
  readonly ageSeconds: number;
}
