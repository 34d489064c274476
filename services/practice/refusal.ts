/** What Telegram's server answers when it will not do something: an HTTP status and its own words for it. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly code: number;
  readonly parameters: { retry_after?: number } | undefined;

  constructor(code: number, description: string, parameters?: { retry_after?: number }) {
    super(description);
    this.code = code;
    this.parameters = parameters;
  }
}

export const badRequest = (reason: string): Refusal => new Refusal(400, `Bad Request: ${reason}`);
export const forbidden = (reason: string): Refusal => new Refusal(403, `Forbidden: ${reason}`);

/** The body that goes with a refusal on the Bot API. */
export const refusalBody = ({ code, message, parameters }: Refusal) => ({
  ok: false,
  error_code: code,
  description: message,
  ...(parameters ? { parameters } : {}),
});
