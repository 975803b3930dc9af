<?php

/**
 * @file
 * Aegir's servers, which are copied to and spoken to by aegir_scale.
 */

use Aegir\Scale\Provision\DropIn;

/**
 * A server as Provision knows it, with its services.
 *
 * Takes the place of Provision's class of that name: methods and what they mean
 * are the same, apart from results, which are TRUE or FALSE here.
 */
class Provision_Context_server extends Provision_Context {

  /**
   * {@inheritdoc}
   */
  public $type = 'server';

  /**
   * The server's services, by name.
   *
   * @var Provision_Service[]
   */
  protected $services = array();

  /**
   * {@inheritdoc}
   */
  public static function option_documentation() {
    $options = array(
      'remote_host' => 'server: the name or address it is reached by; localhost if not given',
      'script_user' => "server: the user that Aegir's commands run as there; this one if not given",
      'aegir_root' => "server: Aegir's directory; " . getenv('HOME') . ' if not given',
      'master_url' => 'server: the address of the Hostmaster site',
      'scale' => 'server: off if aegir_scale shall leave it to rsync and ssh',
      'scale_policy' => 'server with cluster or pack: a task is well when all of its servers are, or a quorum, or any; all if not given',
      'scale_uploads' => 'server with cluster or pack: protect, gather or shared; gather for a cluster if not given',
      'scale_shared' => 'server with cluster or pack: the directory that holds shared uploads',
      'scale_test_cmd' => 'server with http: the command that tests the configuration before it is loaded, or none; guessed from http_restart_cmd if not given',
    );
    foreach (drush_command_invoke_all('provision_services') as $service => $default) {
      $default = empty($default) ? 'null' : $default;
      $options["{$service}_service_type"] = "server: the type of its $service service, or null; $default if not given";
    }

    return $options;
  }

  /**
   * Takes the options that all servers have, and starts the services.
   */
  public function init_server() {
    $is_master = $this->name == '@server_master';
    $this->setProperty('remote_host', 'localhost');
    if ($is_master) {
      $this->setProperty('aegir_root', getenv('HOME'));
    }
    else {
      $this->aegir_root = d('@server_master')->aegir_root;
    }
    $this->setProperty('script_user', $is_master ? provision_current_user() : d('@server_master')->script_user);
    $this->setProperty('ip_addresses', array(), TRUE);

    $root = $this->aegir_root;
    $this->backup_path = "$root/backups";
    $this->config_path = "$root/config/" . ltrim($this->name, '@');
    $this->include_path = "$root/config/includes";
    $this->clients_path = "$root/clients";

    $this->setProperty('master_url');
    $this->setProperty('admin_email', "admin@{$this->remote_host}");
    foreach (array('scale', 'scale_policy', 'scale_uploads', 'scale_shared', 'scale_test_cmd') as $option) {
      // An alias that never had it need not say so.
      if (isset($this->options[$option])) {
        $this->setProperty($option);
      }
    }
    $this->load_services();
  }

  /**
   * Starts a service of each kind.
   */
  public function load_services() {
    foreach (drush_command_invoke_all('provision_services') as $service => $default) {
      $this->spawn_service($service, $default);
    }
  }

  /**
   * Starts a service of the type that the options name.
   */
  public function spawn_service($service, $default = NULL) {
    $option = "{$service}_service_type";
    $type = isset($this->options[$option]) ? $this->options[$option] : $default;
    $command = drush_get_command();
    // What provision-save writes is here, whatever the server is.
    if ($service === 'file' && is_array($command) && preg_match('/^provision-save\b/', $command['command'])) {
      $type = 'local';
    }
    // The front end says NONE where it has no service.
    if (!$type || $type == 'NONE') {
      $this->services[$service] = new Provision_Service_null($this->name);
      return;
    }
    $class = "Provision_Service_{$service}_{$type}";
    if (!class_exists($class)) {
      drush_log("The $service service of {$this->name} has the type $type, which no class $class is there for", 'error');
      return;
    }
    drush_log("Loading $type driver for the $service service");
    $this->services[$service] = new $class($this->name);
    $this->setProperty($option, $type);
  }

  /**
   * A service, set to the context that it is to work for.
   */
  public function service($service, $name = NULL) {
    $this->services[$service]->setContext($name ? $name : $this->name);

    return $this->services[$service];
  }

  /**
   * {@inheritdoc}
   */
  public function get_services() {
    return array_fill_keys(array_keys($this->services), $this->name);
  }

  /**
   * Verifies the server's services.
   */
  public function verify() {
    $this->type_invoke('verify');
  }

  /**
   * Runs a command on this server. drush_shell_exec_output() has what it said.
   *
   * @return bool
   *   Did it exit with 0?
   */
  public function shell_exec($command) {
    return DropIn::get()->exec($this->name, $command, function () use ($command) {
      return (bool) $this->scale_stock_exec($command);
    });
  }

  /**
   * Has the server get a path as it is here, or lose it if it is gone here.
   *
   * It is done when order matters, at the latest when the command ends.
   *
   * @param string $path
   *   Absolute; the server's configuration if NULL.
   * @param array $additional_options
   *   Options for rsync, as drush_core_call_rsync() takes them.
   *
   * @return bool
   *   FALSE when it is known to have failed.
   */
  public function sync($path = NULL, $additional_options = array()) {
    $path = is_null($path) ? $this->config_path : $path;
    $options = $additional_options + array('relative' => TRUE, 'keep-dirlinks' => TRUE, 'omit-dir-times' => TRUE);
    $options = array_merge($options, (array) drush_get_option('global_sync_options', array()));

    return DropIn::get()->sync($this->name, $path, $this->scale_with_delete($options), function (array $more) use ($path, $options) {
      return $this->scale_stock_sync($path, array_merge($this->scale_with_delete($options), $more));
    });
  }

  /**
   * Brings a path from the server to this machine.
   *
   * @return bool
   *   Did it go well?
   */
  public function fetch($path, $additional_options = array()) {
    return DropIn::get()->fetch(array($this->name), $path, function () use ($path, $additional_options) {
      return $this->scale_stock_fetch($path, $additional_options);
    });
  }

  /**
   * The stock way to run a command.
   */
  public function scale_stock_exec($command) {
    if (provision_is_local_host($this->remote_host)) {
      return drush_shell_exec(escapeshellcmd($command));
    }
    $ssh = 'ssh ' . drush_get_option('ssh-options', '-o PasswordAuthentication=no') . ' %s %s';

    return drush_shell_exec($ssh, "{$this->script_user}@{$this->remote_host}", escapeshellcmd($command));
  }

  /**
   * The stock way to push.
   */
  public function scale_stock_sync($path, array $options) {
    if (provision_is_local_host($this->remote_host)) {
      return TRUE;
    }
    $is_there = provision_file()->exists($path)->status();
    $done = $is_there
      ? drush_core_call_rsync(escapeshellarg($path), escapeshellarg("{$this->script_user}@{$this->remote_host}:/"), $options, TRUE, FALSE)
      : $this->scale_stock_exec('rm -rf ' . escapeshellarg($path));

    return $this->scale_say($done, $path, $is_there ? 'synced to' : 'removed from');
  }

  /**
   * The stock way to fetch.
   */
  public function scale_stock_fetch($path, array $additional_options = array()) {
    if (provision_is_local_host($this->remote_host) || !provision_file()->exists($path)->status()) {
      return TRUE;
    }
    $options = $this->scale_with_delete($additional_options + array('omit-dir-times' => TRUE));
    $done = drush_core_call_rsync(escapeshellarg("{$this->script_user}@{$this->remote_host}:/") . $path, $path, $options, TRUE, FALSE);

    return $this->scale_say($done, $path, 'fetched from');
  }

  /**
   * Removes what is left of a deleted site's key, unless another site has it.
   */
  public static function scale_forget_key($site) {
    $group = DropIn::get()->aegir->currentGroup();
    foreach ($group ? $group->all() : array() as $server) {
      $all = d($server->alias)->http_ssld_path;
      $dir = "$all/{$site->ssl_key}";
      // A link, and what hosting_le guards, is none of ours.
      $guard = d('@server_master')->aegir_root . "/tools/le/.ctrl/dont-overwrite-{$site->uri}.pid";
      $is_name = preg_match('~^[^/]+$~D', $site->ssl_key) === 1 && trim($site->ssl_key, '.') !== '' && $site->ssl_key !== 'default';
      if (!$all || !$is_name || is_link($dir) || is_file($guard)) {
        continue;
      }
      if (is_file("$dir/{$site->uri}.receipt")) {
        provision_file()->unlink("$dir/{$site->uri}.receipt");
      }
      if (!glob("$dir/*.receipt")) {
        if (is_dir($dir)) {
          _provision_recursive_delete($dir);
        }
        d($server->alias)->sync($dir);
      }
    }
  }

  /**
   * A push deletes unless it is told not to.
   *
   * Drush writes --delete whatever the option's value is, and would write
   * --no-delete, which rsync does not know.
   */
  private function scale_with_delete(array $options) {
    $is_kept = !empty($options['no-delete']);
    unset($options['no-delete'], $options['delete']);

    return $is_kept ? $options : $options + array('delete' => TRUE);
  }

  /**
   * Says how the stock way ended.
   */
  private function scale_say($done, $path, $what) {
    if ($done) {
      drush_log("$path has been $what {$this->remote_host}");
    }
    else {
      $why = implode("\n", (array) drush_shell_exec_output());
      drush_set_error('PROVISION_FILE_SYNC_FAILED', "$path could not be $what {$this->remote_host}: $why");
    }

    return (bool) $done;
  }

}
