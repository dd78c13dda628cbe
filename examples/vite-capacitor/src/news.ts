/** What a live update changes most often: words. */
export const news = {
  headline: 'Good morning',
  text: 'The first light is at a quarter past six. Put the kettle on.',
}
