export interface ChangeTopicParts {
  /** What all topics of the service begin with. Default: nothing. */
  readonly prefix?: string | null
  /** create, update, delete, or the name of a transition. */
  readonly action: string
  readonly app: string
  /** As it is to stand in the topic: the entity's name in lower case, or what the user gave instead. */
  readonly model: string
}

/** The topic of a row's change: `[<prefix>.]<create|update|delete>.<app>.<model>`. */
export function changeTopic({ prefix, action, app, model }: ChangeTopicParts): string {
  return prefixedTopic(prefix, `${action}.${app}.${model}`)
}

/** The name with the service's prefix before it, if it has one. */
export function prefixedTopic(prefix: string | null | undefined, name: string): string {
  return prefix ? `${prefix}.${name}` : name
}
