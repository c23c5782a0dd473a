/** What a page is given: the decoded pieces of its address, and the rest of the path in one piece. */
export interface PageProps {
  pieces: string[];
  rest: string;
}
