const MAX_BYTES = 24 * 1024 * 1024;

/**
 * Bodies of blocks that were read lately, by block id: who looks one entry up often looks up its neighbours next, and after a
 * reorganisation neighbours stand in as many blocks as its other side had. Holds 24 MiB; what was not used for longest makes room.
 */
export class BodyCache {
  /** Used longest ago first. */
  readonly #bodies = new Map<number, Buffer>();
  #bytes = 0;

  /** 0 if it is not here. */
  bytesOf(id: number): number {
    return this.#bodies.get(id)?.length ?? 0;
  }

  get(id: number): Buffer | undefined {
    const body = this.#bodies.get(id);
    if (body === undefined) return undefined;
    this.#bodies.delete(id);
    this.#bodies.set(id, body);
    return body;
  }

  add(id: number, body: Buffer): void {
    this.delete(id);
    this.#bodies.set(id, body);
    this.#bytes += body.length;
    for (const oldest of this.#bodies.keys()) {
      if (this.#bytes <= MAX_BYTES) break;
      this.delete(oldest);
    }
  }

  delete(id: number): void {
    this.#bytes -= this.bytesOf(id);
    this.#bodies.delete(id);
  }
}
