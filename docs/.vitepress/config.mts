import { defineConfig } from 'vitepress'

/** The site of the documentation: `npm run site` builds it into docs/.vitepress/dist, `npm run site:dev` shows it while it is written. */
export default defineConfig({
  title: 'CropVLM',
  description: 'Finds the one region of an image that is worth zooming into, for any vision-language model.',
  cleanUrls: true,
  // addresses of a service on the reader's own machine
  ignoreDeadLinks: 'localhostLinks',
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Guide', link: '/guide/getting-started' },
      { text: 'Reference', link: '/reference/api' },
      { text: 'Train', link: '/train/' },
    ],
    sidebar: [
      {
        text: 'Guide',
        items: [
          { text: 'Getting started', link: '/guide/getting-started' },
          { text: 'Ask for a box or an answer', link: '/guide/ask' },
          { text: 'One URL', link: '/guide/one-url' },
          { text: 'Targets', link: '/guide/targets' },
          { text: 'Croppers', link: '/guide/croppers' },
          { text: 'Many images', link: '/guide/batch' },
          { text: 'For agents: MCP', link: '/guide/mcp' },
          { text: 'LiteLLM and Open WebUI', link: '/guide/integrations' },
          { text: 'In a program', link: '/guide/library' },
        ],
      },
      {
        text: 'Operate',
        items: [
          { text: 'Operate it', link: '/operate/run' },
          { text: 'Containers', link: '/operate/containers' },
          { text: 'Harden it', link: '/operate/hardening' },
          { text: 'Metrics and traces', link: '/operate/observe' },
        ],
      },
      {
        text: 'Reference',
        items: [
          { text: 'HTTP API', link: '/reference/api' },
          { text: 'Errors', link: '/reference/errors' },
          { text: 'Commands', link: '/reference/commands' },
          { text: 'Configuration', link: '/reference/configuration' },
        ],
      },
      {
        text: 'Train',
        items: [
          { text: 'Train a cropper', link: '/train/' },
          { text: 'Models', link: '/train/models' },
          { text: 'Measure it', link: '/train/measure' },
        ],
      },
      {
        text: 'Project',
        items: [
          { text: 'Architecture', link: '/project/architecture' },
          { text: 'Bundled models', link: '/project/models' },
          { text: 'Results of the bench', link: '/project/results' },
          { text: 'When something goes wrong', link: '/project/faults' },
          { text: 'Contributing', link: '/project/contributing' },
          { text: 'Dependencies', link: '/project/dependencies' },
          { text: 'Changes', link: '/project/changes' },
        ],
      },
    ],
  },
})
