<?php

/**
 * A tree of the shape of Drupal 11 core: 21,000 files in 6,400 directories, 105 MB, with Drupal's depth and lengths of names.
 * The same bytes every time. php tree.php DIRECTORY
 */

const DIRECTORIES = 6400;
const FILES = 21000;
const BYTES = 105000000;

mt_srand(11);
$nouns = ['node', 'field', 'views', 'entity', 'config', 'block', 'content', 'translation', 'media', 'layout', 'builder', 'user', 'taxonomy', 'migrate', 'drupal',
    'workspace', 'system', 'image', 'file', 'menu', 'link', 'path', 'alias', 'form', 'render', 'language', 'comment', 'editor', 'filter', 'search', 'jsonapi', 'rest'];
$inner = ['src', 'src/Plugin', 'src/Plugin/Block', 'src/Plugin/Field/FieldFormatter', 'src/Plugin/migrate/source/d7', 'src/Form', 'src/Controller', 'src/Entity', 'src/EventSubscriber',
    'config/install', 'config/schema', 'config/optional', 'tests/src/Functional', 'tests/src/Kernel/Plugin', 'tests/src/FunctionalJavascript', 'tests/src/Unit', 'templates', 'css', 'js', 'images/icons',
    'tests/modules/%s_test/config/install', 'tests/modules/%s_test/src/Plugin/Validation/Constraint', 'tests/fixtures/update', 'migrations/state', 'help_topics'];
$kinds = ['php' => 62, 'yml' => 18, 'html.twig' => 6, 'css' => 6, 'js' => 4, 'svg' => 3, 'png' => 1];
$endings = array_merge(...array_map(fn ($ending, $weight) => array_fill(0, $weight, $ending), array_keys($kinds), $kinds));
$word = fn () => $nouns[mt_rand(0, count($nouns) - 1)];

$to = $argv[1] ?? exit("want a directory\n");
is_dir($to) || mkdir($to, 0755, true);
$directories = ['' => true];
while (count($directories) <= DIRECTORIES) {
    $module = $word() . '_' . $word() . (mt_rand(0, 9) ? '' : mt_rand(2, 9));
    $path = (mt_rand(0, 5) ? 'core/modules/' : 'vendor/symfony/') . $module . '/' . sprintf($inner[mt_rand(0, count($inner) - 1)], $module) . (mt_rand(0, 2) ? '/' . ucfirst($word()) : '');
    for ($at = $path; $at !== '.' && !isset($directories[$at]); $at = dirname($at)) {
        $directories[$at] = true;
    }
}
ksort($directories);
$directories = array_slice(array_keys($directories), 0, DIRECTORIES + 1);
foreach ($directories as $directory) {
    is_dir("$to/$directory") || mkdir("$to/$directory", 0755, true);
}

// One text to cut from, with the repetition of code.
$text = '';
while (strlen($text) < 1 << 20) {
    $text .= sprintf("  public function get%s%s(\$%s, array \$options = []) {\n    return \$this->%s->load%d(\$%s['%s']);\n  }\n\n", ucfirst($word()), ucfirst($word()), $word(), $word(), mt_rand(), $word(), $word());
}
$left = BYTES;
for ($i = 0; $i < FILES; $i++) {
    $ending = $endings[mt_rand(0, count($endings) - 1)];
    $name = match ($ending) {
        'php' => ucfirst($word()) . ucfirst($word()) . ucfirst($word()) . $i,
        'yml' => $word() . '.' . $word() . '.' . $word() . '_' . $i,
        default => $word() . '-' . $word() . '-' . $i,
    };
    // Skewed as in a code base: many small files, some large.
    $mean = $left / (FILES - $i);
    $size = $i === FILES - 1 ? $left : (int) min($left, max(60, -log(mt_rand(1, 100000) / 100000) * $mean));
    $content = $ending === 'png' ? random_looking($size, $i) : substr(str_repeat(substr($text, mt_rand(0, 900000), 100000), 1 + intdiv($size, 100000)), 0, $size);
    file_put_contents($file = "$to/" . ltrim($directories[mt_rand(0, DIRECTORIES)] . "/$name.$ending", '/'), $content);
    touch($file, 1700000000 + $i);
    $left -= $size;
}

function random_looking(int $size, int $seed): string
{
    $bytes = '';
    for ($n = 0; strlen($bytes) < $size; $n++) {
        $bytes .= hash('sha512', "$seed/$n", true);
    }
    return substr($bytes, 0, $size);
}
