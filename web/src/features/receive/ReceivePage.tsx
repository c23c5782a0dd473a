export default function ReceivePage() {
  return <h1>ReceivePage</h1>;
}
