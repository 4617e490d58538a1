/** A request that the API refuses, with the answer's status. Inside a transaction it undoes what was done. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}
