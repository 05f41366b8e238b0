// Writes a comment of a pull request on GitHub, or a note of a merge request on GitLab, over the one that it wrote for
// an earlier push: that begins with the same line. With --over it does only that, and writes none of its own.
import { readFile } from "node:fs/promises";

const { env } = process;
const gitHub = {
  list: `${env.GITHUB_API_URL}/repos/${env.GITHUB_REPOSITORY}/issues/${env.PULL_REQUEST}/comments`,
  one: (id) => `${env.GITHUB_API_URL}/repos/${env.GITHUB_REPOSITORY}/issues/comments/${id}`,
  headers: { authorization: `Bearer ${env.GITHUB_TOKEN}`, accept: "application/vnd.github+json" },
  change: "PATCH",
  isMine: async () => (comment) => comment.user?.login === "github-actions[bot]",
};
const notes = `${env.CI_API_V4_URL}/projects/${env.CI_MERGE_REQUEST_PROJECT_ID}/merge_requests/${env.CI_MERGE_REQUEST_IID}/notes`;
const gitLab = {
  list: notes,
  one: (id) => `${notes}/${id}`,
  headers: { "private-token": env.NOTES_TOKEN },
  change: "PUT",
  async isMine() {
    const { id } = await ask("GET", `${env.CI_API_V4_URL}/user`);
    return (note) => note.author.id === id;
  },
};
const host = env.GITLAB_CI ? gitLab : gitHub;

async function ask(method, url, content) {
  const headers = { ...host.headers, "content-type": "application/json" };
  const body = content && JSON.stringify(content);
  const response = await fetch(url, { method, headers, body });
  if (!response.ok) throw new Error(`${method} ${url}: HTTP ${response.status}`);
  return response.json();
}

async function findEarlier(marker) {
  const isMine = await host.isMine();
  for (let page = 1; ; page++) {
    const comments = await ask("GET", `${host.list}?per_page=100&page=${page}`);
    const earlier = comments.find((comment) => isMine(comment) && comment.body.startsWith(marker));
    if (earlier || comments.length < 100) return earlier;
  }
}

const [file, over] = process.argv.slice(2);
const body = await readFile(file, "utf8");
const earlier = await findEarlier(body.split("\n", 1)[0]);
if (earlier) await ask(host.change, host.one(earlier.id), { body });
else if (over !== "--over") await ask("POST", host.list, { body });
