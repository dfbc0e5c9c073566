import { render } from 'preact';

render(<h1>minichain</h1>, document.getElementById('page')!);
