const ASK_AGAIN_MILLIS = 1_000;

/** What a function answers, once there is room for it: what is throttled is asked again. */
export async function patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('Rate Exceeded'))) throw error;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MILLIS));
    }
  }
}
