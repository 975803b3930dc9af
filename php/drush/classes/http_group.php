<?php

/**
 * @file
 * What a Web Cluster and a Web Pack have in common.
 */

use Aegir\Scale\Provision\DropIn;

/**
 * A web server that stands for others, and passes on what it is asked.
 */
abstract class AegirScaleHttpGroup extends Provision_Service_http {

  /**
   * The aliases of the servers that files are copied to.
   *
   * @return string[]
   */
  abstract protected function scale_holders();

  /**
   * The aliases of all servers.
   *
   * @return string[]
   */
  abstract protected function scale_all();

  /**
   * Tells each server's service of a site.
   */
  public function init_site() {
    $this->scale_each($this->scale_all(), __FUNCTION__);
  }

  /**
   * Has all servers test and load their configuration, at once.
   */
  public function parse_configs() {
    return $this->scale_restart(__FUNCTION__);
  }

  /**
   * Restarts all servers, at once.
   */
  public function restart() {
    return $this->scale_restart(__FUNCTION__);
  }

  /**
   * {@inheritdoc}
   */
  public function create_config($config, $data = array()) {
    return $this->scale_each($this->scale_all(), __FUNCTION__, array($config), TRUE);
  }

  /**
   * {@inheritdoc}
   *
   * @return $this
   *   Callers go on with ->succeed() and ->fail().
   */
  public function delete_config($config, $data = array()) {
    $this->scale_each($this->scale_all(), __FUNCTION__, array($config), TRUE);

    return $this;
  }

  /**
   * Can database credentials be kept out of settings.php? If all servers can.
   */
  public function cloaked_db_creds() {
    return $this->scale_each($this->scale_all(), __FUNCTION__);
  }

  /**
   * Pushes a path to the servers that hold files.
   */
  public function sync($path = NULL, $additional_options = array()) {
    if ($path !== NULL && $this->scale_gathers()) {
      $this->scale()->gather($this->server->name, $path);
    }

    return $this->scale_each($this->scale_holders(), __FUNCTION__, func_get_args(), TRUE);
  }

  /**
   * The servers that need access to the database.
   */
  public function grant_server_list() {
    $this->scale_probe();
    // DevShop's sites are platforms of their own.
    $platform = is_object($this->context->platform) ? $this->context->platform : $this->context;

    return array_merge(array_map('d', $this->scale_all()), array($platform->server));
  }

  /**
   * What a site's push is to be preceded by, on a cluster.
   */
  protected function scale_gathers() {
    return $this instanceof Provision_Service_http_cluster;
  }

  /**
   * The drop-in of this process.
   */
  protected function scale() {
    return DropIn::get();
  }

  /**
   * Calls a method of each server's service, whatever the others returned.
   *
   * @param string[] $aliases
   *   The servers.
   * @param string $method
   *   The method.
   * @param array $args
   *   Its arguments.
   * @param bool $null_is_well
   *   Does NULL count as TRUE? It does for methods that return nothing.
   *
   * @return bool
   *   The logical AND of what was returned; TRUE for no servers.
   */
  protected function scale_each($aliases, $method, array $args = array(), $null_is_well = FALSE) {
    $all = TRUE;
    foreach ((array) $aliases as $alias) {
      $result = call_user_func_array(array(d($alias)->service('http', $this->context), $method), $args);
      $all = ($result || ($null_is_well && $result === NULL)) && $all;
    }

    return $all;
  }

  /**
   * Does on all servers at once what each is asked for next.
   */
  private function scale_restart($method) {
    $this->scale()->restartAhead($this->scale_all());
    $all = $this->scale_each($this->scale_all(), $method);
    $this->scale()->forgetAhead();

    return $all;
  }

  /**
   * The database service asks each server next under which name the database sees it.
   *
   * The command is that of Provision_Service_db_mysql::grant_host().
   */
  private function scale_probe() {
    $db = $this->context->service('db');
    $server = $this->context->db_server;
    if (!$db instanceof Provision_Service_db_mysql || !is_object($server) || $server->db_grant_all_hosts) {
      return;
    }
    $user = 'intntnllyInvalid';
    drush_command_invoke_all_ref('provision_db_username_alter', $user, $server->remote_host);
    $words = array_map('escapeshellarg', array($user, $server->remote_host, (string) $server->db_port));
    $command = vsprintf('mysql -u %s -h %s -P %s -e "SELECT VERSION()"', $words);
    // A server that is away gets its rights all the same, or would have no
    // database when it is back.
    $this->scale()->ahead($this->scale_all(), $command, function ($away) {
      $address = gethostbyname($away->host);
      drush_log("{$away->alias} cannot be asked which address the database sees: its rights are those of $address", 'warning');

      return "Access denied for user 'intntnllyInvalid'@'$address'";
    });
  }

}
