/**
 * Collections that cost nothing until something is put into them: an execution has many, and most use few of theirs.
 */
export class LazyMap<K, V> {
  private entries: Map<K, V> | undefined

  get size(): number {
    return this.entries?.size ?? 0
  }

  get(key: K): V | undefined {
    return this.entries?.get(key)
  }

  set(key: K, value: V): void {
    this.entries ??= new Map()
    this.entries.set(key, value)
  }

  delete(key: K): boolean {
    return this.entries !== undefined && this.entries.delete(key)
  }

  clear(): void {
    this.entries = undefined
  }

  keys(): Array<K> {
    return this.entries === undefined ? [] : [...this.entries.keys()]
  }

  values(): Array<V> {
    return this.entries === undefined ? [] : [...this.entries.values()]
  }

  *[Symbol.iterator](): Iterator<[K, V]> {
    if (this.entries !== undefined) yield* this.entries
  }
}

export class LazySet<A> {
  private members: Set<A> | undefined

  constructor(members?: ReadonlySet<A>) {
    if (members !== undefined && members.size > 0) this.members = new Set(members)
  }

  get size(): number {
    return this.members?.size ?? 0
  }

  has(member: A): boolean {
    return this.members !== undefined && this.members.has(member)
  }

  add(member: A): void {
    this.members ??= new Set()
    this.members.add(member)
  }

  delete(member: A): boolean {
    return this.members !== undefined && this.members.delete(member)
  }

  clear(): void {
    this.members = undefined
  }

  *[Symbol.iterator](): Iterator<A> {
    if (this.members !== undefined) yield* this.members
  }
}
